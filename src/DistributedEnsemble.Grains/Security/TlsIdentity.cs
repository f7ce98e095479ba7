using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace DistributedEnsemble.Grains.Security;

/// <summary>A certificate with its key, and the authority that peers are checked against; both were found good when they were read.</summary>
internal sealed class TlsIdentity
{
    private static readonly Oid ServerUsage = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientUsage = new("1.3.6.1.5.5.7.3.2");

    private readonly X509Certificate2Collection _authorities;

    private TlsIdentity(X509Certificate2 certificate, X509Certificate2Collection intermediates, X509Certificate2Collection authorities)
    {
        _authorities = authorities;
        Certificate = certificate;
        // Offline: a certificate may name an address to fetch its issuer from, and nothing is fetched on a certificate's word.
        Context = SslStreamCertificateContext.Create(certificate, intermediates, offline: true);
    }

    public X509Certificate2 Certificate { get; }

    public SslStreamCertificateContext Context { get; }

    /// <summary>What a peer that accepted our connection must meet.</summary>
    public X509ChainPolicy ServerPolicy => Policy(ServerUsage);

    /// <summary>What a peer that connected to us must meet.</summary>
    public X509ChainPolicy ClientPolicy => Policy(ClientUsage);

    /// <summary>What a silo that connected to us must meet: its certificate is for accepting connections, too, as no client's is.</summary>
    public X509ChainPolicy SiloPolicy => Policy(ClientUsage, ServerUsage);

    /// <param name="settings">The files.</param>
    /// <param name="accepts">Whether this process accepts connections too, as a silo does.</param>
    /// <exception cref="TlsException">A file is missing or unusable, or a peer would refuse the certificate.</exception>
    public static TlsIdentity Load(TlsSettings settings, bool accepts)
    {
        var authorities = ReadCertificates(settings.AuthorityFile);
        foreach (var authority in authorities)
        {
            if (authority.Extensions.OfType<X509BasicConstraintsExtension>().Any(e => e.CertificateAuthority)) continue;
            throw new TlsException($"{settings.AuthorityFile} holds \"{authority.Subject}\", which is no certificate authority.");
        }
        var chain = ReadCertificates(settings.CertificateFile);
        var certificate = WithKey(chain[0], settings);
        chain.RemoveAt(0);
        var identity = new TlsIdentity(certificate, chain, authorities);
        identity.Check(settings, identity.ClientPolicy, chain);
        if (accepts) identity.Check(settings, identity.ServerPolicy, chain);
        return identity;
    }

    private static X509Certificate2 WithKey(X509Certificate2 certificate, TlsSettings settings)
    {
        var key = ReadText(settings.KeyFile);
        try
        {
            using var withKey = X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), key);
            // Windows' TLS takes no key that exists in memory only, as one from PEM does.
            return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new TlsException($"{settings.KeyFile} holds no unencrypted PEM key that belongs to the certificate in {settings.CertificateFile}.", e);
        }
    }

    private void Check(TlsSettings settings, X509ChainPolicy policy, X509Certificate2Collection intermediates)
    {
        policy.ExtraStore.AddRange(intermediates);
        using var chain = new X509Chain { ChainPolicy = policy };
        if (chain.Build(Certificate)) return;
        var reason = Certificate.NotAfter < DateTime.Now ? $"it expired on {Certificate.NotAfter:yyyy-MM-dd}"
            : string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation.Trim().TrimEnd('.')).Distinct());
        throw new TlsException($"{settings.CertificateFile} is refused by the authority in {settings.AuthorityFile}: {reason}.");
    }

    private static X509Certificate2Collection ReadCertificates(string file)
    {
        var text = ReadText(file);
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(text);
        }
        catch (CryptographicException e)
        {
            throw new TlsException($"{file} is damaged: {e.Message}", e);
        }
        return certificates.Count > 0 ? certificates : throw new TlsException($"{file} holds no PEM certificate.");
    }

    private static string ReadText(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TlsException(e is FileNotFoundException or DirectoryNotFoundException
                ? $"{file} does not exist: mutual TLS needs it (deploy/make-certificates makes it)."
                : $"{file} cannot be read: {e.Message}", e);
        }
    }

    private X509ChainPolicy Policy(params ReadOnlySpan<Oid> usages)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            DisableCertificateDownloads = true,
            // A private authority publishes no list of revoked certificates: who loses a key gets a new authority.
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.AddRange(_authorities);
        foreach (var usage in usages) policy.ApplicationPolicy.Add(usage);
        return policy;
    }
}
