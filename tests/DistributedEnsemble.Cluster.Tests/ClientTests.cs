using System.Text.Json;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Cluster.Tests;

/// <summary>The driver with --cluster, which shares no folder with the silos.</summary>
public sealed class ClientTests
{
    [Fact]
    public async Task A_client_trains_on_a_file_of_its_own_and_every_command_knows_the_run()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 2);
        var csv = cluster.OwnFile("flowers.csv", Flowers());
        await cluster.RunAsync("train", "--dataset", csv, "--name", "flowers", "--members", "2", "--epochs", "3", "--json");

        Assert.Equal("completed", await JsonAsync("state", "status", "flowers"));
        Assert.Contains("flowers", await cluster.RunAsync("list"));
        Assert.Contains("member 1 completed", await cluster.RunAsync("watch", "flowers"));
        Assert.Equal("2", await JsonAsync("members", "evaluate", "flowers"));
        var rows = cluster.OwnFile("rows.csv", "length,width\n0.5,4\n7,0.5\n");
        Assert.Equal(3, (await cluster.RunAsync("predict", "flowers", "--input", rows)).TrimEnd().Split('\n').Length);
        var exported = cluster.OwnFile("exported");
        await cluster.RunAsync("export", "flowers", "--output", exported);
        Assert.Equal(2, Directory.GetFiles(exported, "*.safetensors", SearchOption.AllDirectories).Length);
        await cluster.RunAsync("delete", "flowers", "--yes");
        Assert.False(Directory.Exists(cluster.Folder("flowers").Root));
        // What was sent is there for the next run; nothing else of the client's machine is.
        Assert.Equal(csv, Assert.Single(Directory.GetFiles(Path.GetDirectoryName(csv)!, "flowers.csv")));
        Assert.Single(Directory.GetFiles(Path.Combine(cluster.Runs, ".data")));

        async Task<string> JsonAsync(string key, params string[] arguments) =>
            JsonDocument.Parse(await cluster.RunAsync([.. arguments, "--json"])).RootElement.GetProperty(key).ToString();
    }

    [Fact]
    public async Task A_client_that_leaves_lets_its_run_go_on_which_others_stop_and_resume()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 1);
        var spec = Specs.Of("left", members: 1, epochs: 1500);
        await using var driver = cluster.Drive("train", cluster.SpecFile(spec));
        await cluster.WhenAsync("left", run => run.Steps > 0);

        driver.Signal(Signal.Interrupt);

        Assert.Equal(130, await driver.ExitAsync());
        Assert.Contains("Run \"left\" goes on; `ensemble watch left", driver.Errors);
        await cluster.RunAsync("stop", "left");
        Assert.Equal(RunState.Paused, (await cluster.WhenAsync("left", run => run.State == RunState.Paused)).State);
        await cluster.RunAsync("resume", "left");
        Undisturbed.IsWhatCameOutOf(cluster, spec);
    }

    [Fact]
    public async Task A_driver_needs_no_more_of_redis_than_its_own_user_may_and_no_password_on_its_command_line()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 1, password: "right");
        var users = await LocalProcess.RunAsync("sh", ["-c", "printf 'right\nsecret\n' | \"$0\"", Repository.File("deploy/redis-users")]);
        var driver = users.TrimEnd().Split('\n')[1]["user ".Length..];
        await LocalProcess.RunAsync("redis-cli", ["-p", $"{cluster.Redis.Port}", "--no-auth-warning", "-a", "right", "acl", "setuser", .. driver.Split(' ')]);
        var address = cluster.OwnFile("address", $"redis://driver:secret@127.0.0.1:{cluster.Redis.Port}\n");
        var here = Host.Here with { Environment = new Dictionary<string, string> { ["ENSEMBLE__CLUSTER"] = address } };

        await EndsWellAsync(here, "train", "--dataset", "two-moons", "--members", "1", "--epochs", "1", "--name", "moons");
        Assert.Contains("moons", await EndsWellAsync(here, "list"));
        Assert.Contains("NOPERM", await LocalProcess.RunAsync("redis-cli", ["-u", File.ReadAllText(address).Trim(), "--no-auth-warning", "hgetall", "ensemble/runs"]));
        var id = await LocalProcess.RunAsync("redis-cli", ["-u", File.ReadAllText(address).Trim(), "--no-auth-warning", "get", "ensemble/cluster"]);
        foreach (var key in new[] { "ensemble/cluster", $"ensemble/members/{id.Trim()}" })
            Assert.Contains("NOPERM", await LocalProcess.RunAsync("redis-cli", ["-u", File.ReadAllText(address).Trim(), "--no-auth-warning", "hsetnx", key, "another", "1"]));
        await using var local = here.Start(Path.Combine(AppContext.BaseDirectory, "ensemble"), ["list", "--runs", "somewhere"]);
        Assert.Equal(2, await local.ExitAsync());
        Assert.Equal("--runs and ENSEMBLE__CLUSTER exclude each other: the silos of the cluster know where its runs lie. Unset ENSEMBLE__CLUSTER to train in this process.\n", local.Errors);

        async Task<string> EndsWellAsync(Host host, params string[] arguments)
        {
            await using var process = host.Start(Path.Combine(AppContext.BaseDirectory, "ensemble"), arguments);
            return await cluster.EndsAsync(process);
        }
    }

    [Fact]
    public async Task A_driver_that_trains_in_its_own_process_has_the_settings_of_a_silo()
    {
        await using var driver = new LocalProcess(
            Path.Combine(AppContext.BaseDirectory, "ensemble"), ["train", "--quiet", "--dataset", "digits", "--runs", "none"],
            new Dictionary<string, string> { ["ENSEMBLE__TIMING__MOVE"] = "00:00:00" });

        Assert.Equal(2, await driver.ExitAsync());
        Assert.Equal("ENSEMBLE__TIMING__MOVE is 00:00:00: it must be a time from 00:00:00.1 to 01:00:00, as in 00:00:05.\n", driver.Errors);
    }

    [Fact]
    public async Task What_keeps_a_client_out_is_one_line_and_exit_code_3()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 0, password: "right");
        var address = cluster.Redis.Address;
        var port = cluster.Redis.Port;

        await RefusedAsync(3, $"{address} refuses the user or password of its address.\n", "list", "--cluster", address);
        await RefusedAsync(3, $"{address} refuses the user or password of its address.\n", "list", "--cluster", $"redis://:wrong@127.0.0.1:{port}");
        await RefusedAsync(
            3, $"{address} answers, but no silo of its cluster does. Start one: ensemble-silo --cluster {address} --runs DIR (one off loopback needs the certificates of ENSEMBLE__TLS__… here, too).\n",
            "list", "--cluster", cluster.Redis.Url);
        await cluster.Redis.KillAsync();
        await RefusedAsync(
            3, $"{address} does not answer as a Redis. Is it running there, and may this machine reach it?\n", "list", "--cluster", cluster.Redis.Url);
        await RefusedAsync(
            2, "serve and --cluster exclude each other: each silo of the cluster serves its runs itself, where its --http says.\n",
            "serve", "--cluster", cluster.Redis.Url);
        await RefusedAsync(
            2, "--runs and --cluster exclude each other: the silos of the cluster know where its runs lie.\n",
            "list", "--runs", "somewhere", "--cluster", cluster.Redis.Url);
    }

    [Fact]
    public async Task A_redis_with_tls_and_a_password_is_believed_with_its_authority_alone()
    {
        using var certificates = new TemporaryFolder();
        await LocalProcess.RunAsync(Repository.File("deploy/make-certificates"), [certificates.Path, "redis,127.0.0.1"]);
        await using var cluster = await LocalCluster.StartAsync(silos: 0, password: "secret", certificates: certificates.Path);
        Assert.StartsWith("rediss://", cluster.Redis.Url);
        await RefusedAsync(
            3, $"{cluster.Redis.Address} is not believed: The remote certificate is invalid because of errors in the certificate chain: UntrustedRoot. "
                + "For a private authority, set SSL_CERT_FILE to its certificate.\n",
            "list", "--cluster", cluster.Redis.Url);

        var believer = Host.Here with { Environment = new Dictionary<string, string> { ["SSL_CERT_FILE"] = Path.Combine(certificates.Path, "authority.crt") } };
        cluster.Driver = believer;
        await cluster.AddSiloAsync(() => believer.Start(SiloProcess.Program, ["--cluster", cluster.Redis.Url, "--runs", cluster.Runs]));
        await cluster.RunAsync("train", "--dataset", "digits", "--members", "1", "--epochs", "1", "--name", "secret");
        Assert.Contains("secret", await cluster.RunAsync("list"));
    }

    [Fact]
    public async Task A_redis_that_takes_nothing_is_one_line_and_exit_code_3()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 1);
        await LocalProcess.RunAsync("redis-cli", ["-p", $"{cluster.Redis.Port}", "config", "set", "maxmemory", "1"]);

        await RefusedAsync(
            3, "Loading the data …\nRedis does not do what it is asked: OOM command not allowed when used memory > 'maxmemory'.\n",
            "train", "--dataset", "digits", "--members", "1", "--epochs", "1", "--cluster", cluster.Redis.Url);
    }

    [Fact]
    public async Task A_silo_that_cannot_have_its_redis_ends_with_one_line_and_exit_code_3()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 0, password: "right");
        await using var silo = new SiloProcess(
            () => Host.Here.Start(SiloProcess.Program, ["--cluster", cluster.Redis.Address, "--runs", cluster.Runs]));

        Assert.Equal((3, $"{cluster.Redis.Address} refuses the user or password of its address.\n"), (await silo.ExitAsync(), silo.Errors));
    }

    [Fact]
    public async Task Silos_of_another_cluster_at_addresses_that_were_this_ones_do_not_answer_for_it()
    {
        string[] ports = ["--silo-port", $"{LoopbackPort.Free()}", "--gateway-port", $"{LoopbackPort.Free()}"];
        await using var cluster = await LocalCluster.StartAsync(silos: 0);
        var silo = await cluster.AddSiloAsync(more: ports);
        await silo.KillAsync();
        await using var other = await LocalCluster.StartAsync(silos: 0);
        await other.AddSiloAsync(more: ports);

        await using var driver = cluster.Drive("list");

        Assert.Equal(3, await driver.ExitAsync());
        Assert.StartsWith($"{cluster.Redis.Address} answers, but no silo of its cluster does.", driver.Errors);
    }

    private static async Task RefusedAsync(int exitCode, string error, params string[] arguments)
    {
        await using var driver = new LocalProcess(Path.Combine(AppContext.BaseDirectory, "ensemble"), arguments);
        Assert.Equal((exitCode, error), (await driver.ExitAsync(), driver.Errors));
    }

    private static string Flowers()
    {
        var random = new Random(1);
        var rows = Enumerable.Range(0, 300).Select(i => FormattableString.Invariant(
            $"{(i % 2) * 6 + random.NextDouble()},{(1 - i % 2) * 4 + random.NextDouble()},{(i % 2 == 0 ? "daisy" : "rose")}"));
        return $"length,width,kind\n{string.Join('\n', rows)}\n";
    }
}
