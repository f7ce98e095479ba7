using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Silo.Http.Authorization;

/// <summary>Settings that were checked before anything listens: off loopback there is a key, and nobody reads it on the way.</summary>
internal sealed record HttpSettingsCheck(HttpSettings Settings, IPEndPoint Endpoint, bool IsTls, ApiKeys Keys, X509Certificate2Collection? Certificates)
{
    private const string Variables = "ENSEMBLE__SERVING__";

    public bool IsLoopback => IPAddress.IsLoopback(Endpoint.Address);

    /// <summary>A setting as people set it.</summary>
    public static string Name(string property) => Variables + property.ToUpperInvariant();

    /// <exception cref="HttpSettingsException">They cannot be served with.</exception>
    public static HttpSettingsCheck Of(HttpSettings settings)
    {
        CheckLimits(settings);
        var (endpoint, isTls) = Parse(settings.Url);
        var check = new HttpSettingsCheck(settings, endpoint, isTls, ApiKeys.Read(settings), isTls ? Certificate(settings) : null);
        if (check.IsLoopback && !settings.BehindProxy) return check;

        var missing = new List<string>();
        if (!check.Keys.HasInferenceKey) missing.Add($"an API key ({Name(nameof(settings.InferenceKeyFile))})");
        if (!isTls && !settings.BehindProxy)
        {
            missing.Add($"TLS (an https address and {Name(nameof(settings.Certificate))}, or {Name(nameof(settings.BehindProxy))}=true "
                + "if a proxy in front of it ends TLS)");
        }

        return missing.Count == 0 ? check : throw new HttpSettingsException(
            $"--http {settings.Url} {(check.IsLoopback ? "serves a proxy's clients" : "is not on loopback")}: it needs {string.Join(" and ", missing)}.");
    }

    private static (IPEndPoint Endpoint, bool IsTls) Parse(string url)
    {
        const string Rule = "it takes http:// or https://, an IP address or localhost, and a port, as in " + HttpSettings.DefaultUrl;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.PathAndQuery != "/" || uri.UserInfo != "")
            throw new HttpSettingsException($"--http is {OneLine.Excerpt(url)}: {Rule}.");
        var address = uri.Host == "localhost" ? IPAddress.Loopback
            : IPAddress.TryParse(uri.Host.Trim('[', ']'), out var parsed) ? parsed
            : throw new HttpSettingsException($"--http is {OneLine.Excerpt(url)}: {Rule}.");
        return (new IPEndPoint(address, uri.Port), uri.Scheme == "https");
    }

    private static X509Certificate2Collection Certificate(HttpSettings settings)
    {
        if (settings.Certificate is not { } file)
            throw new HttpSettingsException($"--http {settings.Url} is https: it needs a certificate ({Name(nameof(settings.Certificate))}, a PEM file).");
        try
        {
            // Kestrel reads the chain from the collection; a key from PEM must be wrapped once to be usable everywhere.
            using var own = X509Certificate2.CreateFromPemFile(file, settings.CertificateKey);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(file);
            chain[0].Dispose();
            chain[0] = X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pkcs12), null);
            return chain;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new HttpSettingsException($"{Name(nameof(settings.Certificate))} {file} cannot be used: {OneLine.Excerpt(exception.Message)}");
        }
    }

    private static void CheckLimits(HttpSettings settings)
    {
        Check(settings.MaxBodyBytes, nameof(settings.MaxBodyBytes), 1024, 1 << 30);
        Check(settings.MaxBytesInFlight, nameof(settings.MaxBytesInFlight), settings.MaxBodyBytes, int.MaxValue);
        Check(settings.MaxResponseBytes, nameof(settings.MaxResponseBytes), 1024, int.MaxValue);
        Check(settings.MaxPageSize, nameof(settings.MaxPageSize), 1, 10_000);
        Check(settings.MaxConnectionsPerAddress, nameof(settings.MaxConnectionsPerAddress), 1, 1_000_000);
        Check(settings.HeaderTimeoutSeconds, nameof(settings.HeaderTimeoutSeconds), 1, 600);
        Check(settings.KeepAliveSeconds, nameof(settings.KeepAliveSeconds), 1, 3600);
        Check(settings.MaxRows, nameof(settings.MaxRows), 1, 10_000_000);
        Check(settings.MaxJsonDepth, nameof(settings.MaxJsonDepth), 8, 64);
        Check(settings.MaxMonteCarloSamples, nameof(settings.MaxMonteCarloSamples), 0, 100_000);
        Check(settings.MaxConcurrentRequests, nameof(settings.MaxConcurrentRequests), 1, 1_000_000);
        Check(settings.MaxEventStreams, nameof(settings.MaxEventStreams), 1, 1_000_000);
        Check(settings.RequestTimeoutSeconds, nameof(settings.RequestTimeoutSeconds), 1, 3600);
    }

    private static void Check(int value, string name, int from, int to)
    {
        if (value < from || value > to) throw new HttpSettingsException($"{Name(name)} is {value}: it must be a whole number from {from} to {to}.");
    }
}
