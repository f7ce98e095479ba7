using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using DistributedEnsemble.Runs;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace DistributedEnsemble.Cluster.Tests.Deploy;

/// <summary>
/// docker-compose.yml without Docker: what is published, as three processes with the file's own environment and secrets. The
/// folders of the containers are folders of this test, and their network is this machine's loopback.
/// </summary>
public sealed class ComposedClusterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Secrets => Path.Combine(_folder.Path, "secrets");

    [Fact(Timeout = 300_000)]
    public async Task The_published_silos_of_docker_compose_yml_train_evaluate_and_stop()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has all of 127.0.0.0/8 on loopback.");
        var published = Path.Combine(_folder.Path, "app");
        await LocalProcess.RunAsync("dotnet", [
            "publish", Repository.File("src/DistributedEnsemble.Silo"), "--no-build", "--configuration", Repository.Configuration, "--output", published,
            "-p:CreateHardLinksForPublishFilesIfPossible=true", "-nodeReuse:false"]);
        await LocalProcess.RunAsync(Repository.File("deploy/prepare-secrets"), [Secrets]);
        var password = File.ReadAllText(Path.Combine(Secrets, "redis.conf")).Split(' ', '\n')[1];
        await using var cluster = await LocalCluster.StartAsync(silos: 0, password: password);
        cluster.Driver = Host.Here with { Environment = Certificates.Of(Secrets, "driver") };
        var program = Path.Combine(published, "ensemble-silo");
        var environments = Services().Where(service => service.Key.StartsWith("silo-", StringComparison.Ordinal))
            .Select(service => EnvironmentOf(service.Key, service.Value, cluster)).ToList();
        Assert.Equal(3, environments.Count);

        foreach (var environment in environments) await cluster.AddSiloAsync(() => new LocalProcess(program, [], environment));
        // As the image's own check of its health does, again and again.
        foreach (var environment in environments)
        {
            await Until.AsksAsync(async () =>
            {
                await using var probe = new LocalProcess(program, ["probe", "--ready"], environment);
                return await probe.ExitAsync() == 0 ? "" : null;
            });
        }

        await cluster.RunAsync("train", "--dataset", "digits", "--members", "3", "--epochs", "2", "--name", "composed");
        foreach (var environment in environments) await IsServedSoonAsync(environment, "composed");
        Assert.Contains("\"constituents\":3", await cluster.RunAsync("evaluate", "composed", "--json"));

        var silos = cluster.Alive;
        foreach (var silo in silos) silo.Terminate();
        foreach (var silo in silos) Assert.Equal(0, await silo.ExitAsync());
        Assert.Equal(RunState.Completed, cluster.Read("composed")!.State);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>A run that has ended is ready on every silo within ten seconds, without anybody's doing.</summary>
    private async Task IsServedSoonAsync(Dictionary<string, string> environment, string run)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(Secrets, "authority.crt"));
        using var trusting = new SocketsHttpHandler();
        trusting.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { certificate }, RevocationMode = X509RevocationMode.NoCheck,
        };
        using var client = new HttpClient(trusting);
        // The certificate names 172.30.0.N, which is 127.0.0.N here, and the machine's own names.
        client.DefaultRequestHeaders.Host = "localhost";
        client.DefaultRequestHeaders.Authorization = new("Bearer", File.ReadAllText(Path.Combine(Secrets, "ENSEMBLE__SERVING__INFERENCEKEY")).Trim());
        var url = $"{environment["ENSEMBLE__HTTP"]}/v2/models/{run}/ready";
        var since = Stopwatch.StartNew();
        while (true)
        {
            using var answer = await client.GetAsync(url, TestContext.Current.CancellationToken);
            if (answer.IsSuccessStatusCode) break;
            Assert.True(since.Elapsed < TimeSpan.FromSeconds(10), await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>A service's environment: its mounts and secrets are files of this test, 172.30.0.N is 127.0.0.N.</summary>
    private Dictionary<string, string> EnvironmentOf(string name, Dictionary<object, object> service, LocalCluster cluster)
    {
        var mounted = Directory.CreateDirectory(Path.Combine(_folder.Path, name)).FullName;
        var paths = new Dictionary<string, string> { ["/runs"] = cluster.Runs, ["/run/secrets"] = mounted };
        foreach (var secret in (List<object>)service["secrets"])
        {
            if (secret is Dictionary<object, object> file) paths[(string)file["target"]] = Path.Combine(Secrets, (string)file["source"]);
            else File.Copy(Path.Combine(Secrets, (string)secret), Path.Combine(mounted, (string)secret));
        }

        File.WriteAllText(Path.Combine(mounted, "ENSEMBLE__CLUSTER"), cluster.Redis.Url);
        var settings = (Dictionary<object, object>)service["environment"];
        var address = ((string)settings["ENSEMBLE__ADDRESS"]).Replace("172.30.0.", "127.0.0.", StringComparison.Ordinal);
        return settings.ToDictionary(
            setting => (string)setting.Key,
            setting => paths.GetValueOrDefault($"{setting.Value}") ?? (setting.Key is "ENSEMBLE__ADDRESS" ? address : $"{setting.Value}".Replace("0.0.0.0", address)));
    }

    private static Dictionary<string, Dictionary<object, object>> Services()
    {
        var file = new DeserializerBuilder().Build().Deserialize<Dictionary<string, object>>(
            new MergingParser(new Parser(new StringReader(File.ReadAllText(Repository.File("docker-compose.yml"))))));
        return ((Dictionary<object, object>)file["services"]).ToDictionary(service => (string)service.Key, service => (Dictionary<object, object>)service.Value);
    }
}
