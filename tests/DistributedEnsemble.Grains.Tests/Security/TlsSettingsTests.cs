using DistributedEnsemble.Grains.Security;
using Microsoft.Extensions.Configuration;

namespace DistributedEnsemble.Grains.Tests.Security;

public sealed class TlsSettingsTests : IDisposable
{
    private readonly Authority _authority = new();
    private readonly Authority _stranger = new();

    public void Dispose()
    {
        _authority.Dispose();
        _stranger.Dispose();
    }

    [Fact]
    public void Three_files_are_read_from_the_configuration() =>
        Assert.Equal(new TlsSettings("a", "b", "c"), TlsSettings.Read(Configuration(("Certificate", "a"), ("Key", "b"), ("Authority", "c"))));

    [Fact]
    public void Without_any_of_them_there_is_no_tls() => Assert.Null(TlsSettings.Read(Configuration(("Certificate", ""))));

    [Fact]
    public void One_that_is_not_set_is_named() => Assert.Equal(
        "ENSEMBLE__TLS__KEY is not set: mutual TLS needs a certificate, its key and the authority that signed it " +
        "(deploy/make-certificates makes them).",
        Assert.Throws<TlsException>(() => TlsSettings.Read(Configuration(("Certificate", "a"), ("Authority", "c")))).Message);

    [Fact]
    public void A_silos_certificate_serves_both_directions() => TlsIdentity.Load(_authority.Silo(), accepts: true);

    [Fact]
    public void A_clients_certificate_serves_no_silo()
    {
        var settings = _authority.Client();
        TlsIdentity.Load(settings, accepts: false);
        Refused(settings, accepts: true, $"{settings.CertificateFile} is refused by the authority in {settings.AuthorityFile}: ");
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        var settings = _authority.Silo() with { KeyFile = "/nowhere/silo.key" };
        Refused(settings, accepts: true, "/nowhere/silo.key does not exist: mutual TLS needs it (deploy/make-certificates makes it).");
    }

    [Fact]
    public void A_key_of_another_certificate_is_named()
    {
        var settings = _authority.Silo() with { KeyFile = _authority.Silo().KeyFile };
        Refused(settings, accepts: true,
            $"{settings.KeyFile} holds no unencrypted PEM key that belongs to the certificate in {settings.CertificateFile}.");
    }

    [Theory]
    [InlineData("")]
    [InlineData("no PEM at all")]
    public void A_file_without_a_certificate_is_named(string content)
    {
        var settings = _authority.Silo();
        File.WriteAllText(settings.CertificateFile, content);
        Refused(settings, accepts: true, $"{settings.CertificateFile} holds no PEM certificate.");
    }

    [Fact]
    public void A_damaged_certificate_is_named()
    {
        var settings = _authority.Silo();
        File.WriteAllText(settings.CertificateFile, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
        Refused(settings, accepts: true, $"{settings.CertificateFile} is damaged: ");
    }

    [Fact]
    public void A_certificate_of_another_authority_is_refused()
    {
        var settings = _authority.Silo() with { AuthorityFile = _stranger.AuthorityFile };
        Refused(settings, accepts: true, $"{settings.CertificateFile} is refused by the authority in {settings.AuthorityFile}: ");
    }

    [Fact]
    public void An_expired_certificate_is_refused_with_its_date()
    {
        var settings = _authority.Expired();
        Refused(settings, accepts: true, $"{settings.CertificateFile} is refused by the authority in {settings.AuthorityFile}: it expired on 2");
    }

    [Fact]
    public void An_authority_must_be_one()
    {
        var settings = _authority.Silo();
        Refused(settings with { AuthorityFile = settings.CertificateFile }, accepts: true, "which is no certificate authority.");
    }

    private static void Refused(TlsSettings settings, bool accepts, string message) =>
        Assert.Contains(message, Assert.Throws<TlsException>(() => TlsIdentity.Load(settings, accepts)).Message);

    private static IConfiguration Configuration(params (string Name, string File)[] settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(settings.ToDictionary(s => $"Ensemble:Tls:{s.Name}", s => (string?)s.File)).Build();
}
