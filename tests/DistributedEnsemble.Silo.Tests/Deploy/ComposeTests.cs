using System.Runtime.Versioning;
using DistributedEnsemble.Serving.Processes;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace DistributedEnsemble.Silo.Tests.Deploy;

/// <summary>docker-compose.yml, with its anchors merged as Compose merges them.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ComposeTests : IDisposable
{
    private static readonly Dictionary<object, object> s_file = Read("docker-compose.yml");

    private readonly string _folder = Directory.CreateTempSubdirectory("ensemble-").FullName;

    private static Dictionary<object, object> Services => Map(s_file["services"]);

    private static IEnumerable<Dictionary<object, object>> Silos =>
        Services.Where(s => ((string)s.Key).StartsWith("silo-", StringComparison.Ordinal)).Select(s => Map(s.Value));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Three_silos_differ_in_address_and_certificate_alone()
    {
        Assert.Equal(3, Silos.Count());
        Assert.Equal(3, Silos.Select(silo => Map(silo["environment"])["ENSEMBLE__ADDRESS"]).Distinct().Count());
        Assert.All(Silos, silo => Assert.Equal(
            Map(silo["environment"])["ENSEMBLE__ADDRESS"], Map(Map(silo["networks"])["cluster"])["ipv4_address"]));
    }

    [Fact]
    public void Every_service_comes_back_after_a_crash_and_has_no_more_rights_than_it_needs() => Assert.All(Services.Values.Select(Map), service =>
    {
        Assert.Equal("always", service["restart"]);
        Assert.Equal(true, service["read_only"]);
        Assert.Equal(["ALL"], List(service["cap_drop"]));
        Assert.Equal(["no-new-privileges:true"], List(service["security_opt"]));
        Assert.True(service.ContainsKey("mem_limit") && service.ContainsKey("pids_limit"));
    });

    [Fact]
    public void Nothing_is_published_beyond_this_machine() => Assert.All(
        Services.Values.Select(Map).Where(s => s.ContainsKey("ports")).SelectMany(s => List(s["ports"])),
        port => Assert.StartsWith("127.0.0.1:", (string)port, StringComparison.Ordinal));

    [Fact]
    public void A_silo_has_time_to_hand_its_members_over_before_it_is_killed() => Assert.All(Silos, silo => Assert.True(
        int.Parse(((string)silo["stop_grace_period"]).TrimEnd('s')) > int.Parse(Map(silo["environment"])["DOTNET_SHUTDOWNTIMEOUTSECONDS"].ToString()!)));

    [Fact]
    public void Redis_writes_everything_to_disk_at_once() => Assert.Contains(
        "--appendonly yes --appendfsync always", string.Join(' ', List(Map(Services["redis"])["command"])), StringComparison.Ordinal);

    [Fact]
    public void Every_named_volume_and_secret_is_declared_and_every_secret_is_made_by_the_script_before()
    {
        var declared = Map(s_file["secrets"]);
        var used = Services.Values.Select(Map).SelectMany(s => List(s["secrets"])).Select(s => s is string name ? name : (string)Map(s)["source"]);
        Assert.Equal(declared.Keys.Cast<string>().Order(), used.Distinct().Order());
        var volumes = Services.Values.Select(Map).SelectMany(s => List(s["volumes"])).Select(v => ((string)v).Split(':')[0]);
        Assert.Equal(Map(s_file["volumes"]).Keys.Cast<string>().Order(), volumes.Distinct().Order());
    }

    [Fact]
    public void With_a_store_of_objects_each_silo_has_a_folder_of_its_own()
    {
        var objects = Read("deploy", "compose.objects.yaml");
        var services = Map(objects["services"]);
        Assert.Equal(Services.Keys.Cast<string>().Where(name => name != "redis"), services.Keys.Cast<string>());
        Assert.All(services, service =>
        {
            // One of the same target takes the place of the shared one.
            var volume = Map(Assert.Single(List(Map(service.Value)["volumes"])));
            Assert.Equal("volume", volume["type"]);
            Assert.False(volume.ContainsKey("source"));
            Assert.Equal(Map(Map(Services[service.Key])["environment"])["ENSEMBLE__RUNS"], volume["target"]);
            var keys = Map(Assert.Single(List(Map(service.Value)["secrets"])));
            Assert.Equal(Map(Map(service.Value)["environment"])["AWS_SHARED_CREDENTIALS_FILE"], keys["target"]);
            Assert.True(Map(objects["secrets"]).ContainsKey(keys["source"]));
        });
    }

    [Fact]
    public async Task The_script_makes_every_secret_readable_for_the_containers_user()
    {
        var made = await DeployFiles.RunAsync(_folder, DeployFiles.PathOf("deploy", "prepare-secrets"));
        Assert.Equal(0, made.ExitCode);

        foreach (var secret in Map(s_file["secrets"]).Values)
        {
            var mode = File.GetUnixFileMode(Path.Combine(_folder, (string)Map(secret)["file"]));
            Assert.True(mode.HasFlag(UnixFileMode.OtherRead), $"{Map(secret)["file"]} has mode {mode}.");
        }
    }

    [Fact]
    public void A_silos_files_are_where_its_settings_say()
    {
        foreach (var silo in Silos)
        {
            var settings = Map(silo["environment"]);
            var mounted = List(silo["secrets"]).OfType<Dictionary<object, object>>().Select(s => (string)s["target"]).ToList();
            string[] files = ["ENSEMBLE__TLS__AUTHORITY", "ENSEMBLE__TLS__CERTIFICATE", "ENSEMBLE__TLS__KEY", "ENSEMBLE__SERVING__CERTIFICATE", "ENSEMBLE__SERVING__CERTIFICATEKEY"];
            Assert.All(files, file => Assert.Contains((string)settings[file], mounted));
            Assert.Contains($"runs:{settings["ENSEMBLE__RUNS"]}", List(silo["volumes"]));
        }
    }

    private static Dictionary<object, object> Read(params string[] path) => new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build()
        .Deserialize<Dictionary<object, object>>(new MergingParser(new Parser(new StringReader(DeployFiles.Read(path)))))!;

    private static Dictionary<object, object> Map(object value) => (Dictionary<object, object>)value;

    private static List<object> List(object value) => (List<object>)value;
}
