using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DistributedEnsemble.Grains.Security;

namespace DistributedEnsemble.Grains.Tests.Security;

/// <summary>A private authority and the certificates that it signs, as PEM files in a folder of their own.</summary>
internal sealed class Authority : IDisposable
{
    private const string ServerUsage = "1.3.6.1.5.5.7.3.1";
    private const string ClientUsage = "1.3.6.1.5.5.7.3.2";

    private readonly string _folder = Directory.CreateTempSubdirectory("ensemble-").FullName;
    private readonly X509Certificate2 _root;
    private int _signed;

    public Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=ensemble test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-10), DateTimeOffset.UtcNow.AddDays(10));
        File.WriteAllText(AuthorityFile, _root.ExportCertificatePem());
    }

    public string AuthorityFile => Path.Combine(_folder, "authority.crt");

    public TlsSettings Silo() => Sign(usages: [ServerUsage, ClientUsage]);

    public TlsSettings Client() => Sign(usages: [ClientUsage]);

    public TlsSettings ServerOnly() => Sign(usages: [ServerUsage]);

    public TlsSettings Expired() => Sign(DateTimeOffset.UtcNow.AddDays(-5), DateTimeOffset.UtcNow.AddMinutes(-1), ServerUsage, ClientUsage);

    public TlsSettings NotYetValid() => Sign(DateTimeOffset.UtcNow.AddDays(1), DateTimeOffset.UtcNow.AddDays(2), ServerUsage, ClientUsage);

    private TlsSettings Sign(params string[] usages) => Sign(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(5), usages);

    private TlsSettings Sign(DateTimeOffset from, DateTimeOffset to, params string[] usages)
    {
        var name = $"{++_signed}";
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. usages.Select(usage => new Oid(usage))], true));
        using var certificate = request.Create(_root, from, to, [(byte)_signed]);
        var settings = new TlsSettings(Path.Combine(_folder, $"{name}.crt"), Path.Combine(_folder, $"{name}.key"), AuthorityFile);
        File.WriteAllText(settings.CertificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(settings.KeyFile, key.ExportPkcs8PrivateKeyPem());
        return settings;
    }

    public void Dispose()
    {
        _root.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
