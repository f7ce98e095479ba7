using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using DistributedEnsemble.Grains.Security;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Silo.Tests.Deploy;

[UnsupportedOSPlatform("windows")]
public sealed class SecretScriptTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _folder = Directory.CreateTempSubdirectory("ensemble-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Certificates_that_the_script_makes_are_good_for_silos_and_clients()
    {
        var made = await CertificatesAsync("certificates", "silo-1,10.0.0.1,localhost,::1", "--client", "laptop");

        Assert.Equal(0, made.ExitCode);
        TlsIdentity.Load(Settings("silo-1"), accepts: true);
        TlsIdentity.Load(Settings("laptop"), accepts: false);
        Assert.Throws<TlsException>(() => TlsIdentity.Load(Settings("laptop"), accepts: true));
        using var silo = X509CertificateLoader.LoadCertificateFromFile(FileOf("silo-1.crt"));
        Assert.All(["silo-1", "10.0.0.1", "localhost", "::1"], name => Assert.True(silo.MatchesHostname(name), name));
    }

    [Fact]
    public async Task Keys_are_readable_to_their_owner_alone()
    {
        await CertificatesAsync("certificates", "silo-1");

        Assert.Equal(OwnerOnly, File.GetUnixFileMode(FileOf("silo-1.key")));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(FileOf("authority.key")));
    }

    [Fact]
    public async Task A_second_run_adds_hosts_and_replaces_nothing()
    {
        await CertificatesAsync("certificates", "silo-1");
        var before = Contents();

        var second = await CertificatesAsync("certificates", "silo-1", "silo-2");

        Assert.Equal($"kept certificates/silo-1.crt\nmade certificates/silo-2.crt\n", second.Output);
        Assert.All(before, file => Assert.Equal(file.Value, File.ReadAllText(file.Key)));
        TlsIdentity.Load(Settings("silo-2"), accepts: true);
        Assert.DoesNotContain(Directory.EnumerateDirectories(FileOf("")), d => Path.GetFileName(d).StartsWith('.'));
    }

    [Fact]
    public async Task A_removed_certificate_is_renewed_with_the_key_that_is_there()
    {
        await CertificatesAsync("certificates", "silo-1");
        var key = File.ReadAllText(FileOf("silo-1.key"));
        File.Delete(FileOf("silo-1.crt"));

        await CertificatesAsync("certificates", "silo-1");

        Assert.Equal(key, File.ReadAllText(FileOf("silo-1.key")));
        TlsIdentity.Load(Settings("silo-1"), accepts: true);
    }

    [Theory]
    [InlineData("make-certificates: name the folder that receives the files (--help shows how).")]
    [InlineData("make-certificates: name at least one host or client (--help shows how).", "certificates")]
    [InlineData("make-certificates: \"../x\" is no name with addresses, as in silo-1,10.0.0.1.", "certificates", "../x")]
    [InlineData("make-certificates: --days is soon: it is a number of days, as in 825.", "certificates", "silo-1", "--days", "soon")]
    [InlineData("make-certificates: there is no option --hosts.", "certificates", "--hosts", "silo-1")]
    [InlineData("make-certificates: \"authority\" is the authority's own name: call the host something else.", "certificates", "authority")]
    public async Task Mistakes_get_one_line_and_leave_nothing(string line, params string[] arguments)
    {
        var refused = await CertificatesAsync(arguments);

        Assert.Equal((2, "", line + "\n"), refused);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
    }

    [Fact]
    public async Task An_authority_without_its_key_signs_nothing()
    {
        await CertificatesAsync("certificates", "silo-1");
        File.Delete(FileOf("authority.key"));

        var refused = await CertificatesAsync("certificates", "silo-2");

        Assert.Equal(2, refused.ExitCode);
        Assert.StartsWith("make-certificates: certificates/authority.crt is there and its key is not", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Secrets_agree_with_each_other_and_stay_the_same()
    {
        var script = DeployFiles.PathOf("deploy", "prepare-secrets");
        await DeployFiles.RunAsync(_folder, script, "certificates");
        var before = Contents();
        await DeployFiles.RunAsync(_folder, script, "certificates");

        Assert.Equal(before, Contents());
        var password = File.ReadAllText(FileOf("redis.conf")).Split(' ', '\n')[1];
        Assert.Equal($"redis://:{password}@redis:6379?plaintext\n", File.ReadAllText(FileOf("ENSEMBLE__CLUSTER")));
        var driver = RedisAddress.Parse(FileOf("driver-address"), "--cluster").ToConfiguration();
        Assert.Equal("driver", driver.User);
        Assert.Equal($"redis://driver:{driver.Password}@redis:6379?plaintext\n", File.ReadAllText(FileOf("driver-address-inside")));
        Assert.Contains($"\nuser driver on >{driver.Password} ", File.ReadAllText(FileOf("redis.conf")));
        Assert.NotEqual(password, driver.Password);
        Assert.Matches("^[0-9a-f]{64}$", password);
        Assert.NotEqual(File.ReadAllText(FileOf("ENSEMBLE__SERVING__INFERENCEKEY")), File.ReadAllText(FileOf("ENSEMBLE__SERVING__ADMINKEY")));
        Assert.Equal(OwnerOnly | UnixFileMode.UserExecute, File.GetUnixFileMode(FileOf("")));
    }

    private Task<(int ExitCode, string Output, string Error)> CertificatesAsync(params string[] arguments) =>
        DeployFiles.RunAsync(_folder, DeployFiles.PathOf("deploy", "make-certificates"), arguments);

    private string FileOf(string name) => Path.Combine(_folder, "certificates", name);

    private TlsSettings Settings(string name) => new(FileOf($"{name}.crt"), FileOf($"{name}.key"), FileOf("authority.crt"));

    private SortedDictionary<string, string> Contents() => new(Directory.EnumerateFiles(FileOf("")).ToDictionary(file => file, File.ReadAllText));
}
