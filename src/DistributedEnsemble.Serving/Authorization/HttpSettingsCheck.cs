using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Serving.Authorization;

/// <summary>Settings that were checked before anything listens: off loopback there is a key, and nobody reads it on the way.</summary>
internal sealed record HttpSettingsCheck(HttpSettings Settings, HttpSettingsCheck.Listener Http, HttpSettingsCheck.Listener? Grpc, ApiKeys Keys, X509Certificate2Collection? Certificates)
{
    private const string Variables = "ENSEMBLE__SERVING__";

    /// <summary>Whether nobody off this machine reaches any of it.</summary>
    public bool IsLoopback => Listeners.All(listener => listener.IsLoopback);

    /// <summary>Whether gRPC is served on HTTP's own port, where TLS agrees on what is spoken.</summary>
    public bool SharesPort => Grpc is not null && Grpc.Endpoint.Equals(Http.Endpoint) && Http.Endpoint.Port != 0;

    /// <summary>HTTP's first.</summary>
    public IEnumerable<Listener> Listeners => Grpc is null ? [Http] : [Http, Grpc];

    /// <summary>A setting as people set it.</summary>
    public static string Name(string property) => Variables + property.ToUpperInvariant();

    /// <exception cref="HttpSettingsException">They cannot be served with.</exception>
    public static HttpSettingsCheck Of(HttpSettings settings)
    {
        CheckLimits(settings);
        var (http, grpc) = (Parse("--http", settings.Url, HttpSettings.DefaultUrl), settings.GrpcUrl is { } url ? Parse("--grpc", url, "http://127.0.0.1:8001") : null);
        var tls = http.IsTls ? http : grpc is { IsTls: true } ? grpc : null;
        var check = new HttpSettingsCheck(settings, http, grpc, ApiKeys.Read(settings), tls is null ? null : Certificate(settings, tls));
        if (check.SharesPort && !(http.IsTls && grpc!.IsTls))
            throw new HttpSettingsException($"--grpc {settings.GrpcUrl} is where --http {settings.Url} is: without TLS each needs a port of its own.");
        foreach (var listener in check.Listeners) Check(listener, settings, check.Keys);
        return check;
    }

    private static void Check(Listener listener, HttpSettings settings, ApiKeys keys)
    {
        if (listener.IsLoopback && !settings.BehindProxy) return;
        var missing = new List<string>();
        if (!keys.HasInferenceKey) missing.Add($"an API key ({Name(nameof(settings.InferenceKeyFile))})");
        if (!listener.IsTls && !settings.BehindProxy)
        {
            missing.Add($"TLS (an https address and {Name(nameof(settings.Certificate))}, or {Name(nameof(settings.BehindProxy))}=true "
                + "if a proxy in front of it ends TLS)");
        }

        if (missing.Count == 0) return;
        throw new HttpSettingsException(
            $"{listener.Option} {listener.Url} {(listener.IsLoopback ? "serves a proxy's clients" : "is not on loopback")}: it needs {string.Join(" and ", missing)}.");
    }

    private static Listener Parse(string option, string url, string example)
    {
        var rule = "it takes http:// or https://, an IP address or localhost, and a port, as in " + example;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.PathAndQuery != "/" || uri.UserInfo != "")
            throw new HttpSettingsException($"{option} is {OneLine.Excerpt(url)}: {rule}.");
        var address = uri.Host == "localhost" ? IPAddress.Loopback
            : IPAddress.TryParse(uri.Host.Trim('[', ']'), out var parsed) ? parsed
            : throw new HttpSettingsException($"{option} is {OneLine.Excerpt(url)}: {rule}.");
        return new Listener(option, url, new IPEndPoint(address, uri.Port), uri.Scheme == "https");
    }

    private static X509Certificate2Collection Certificate(HttpSettings settings, Listener listener)
    {
        if (settings.Certificate is not { } file)
            throw new HttpSettingsException($"{listener.Option} {listener.Url} is https: it needs a certificate ({Name(nameof(settings.Certificate))}, a PEM file).");
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

    /// <summary>An address that is listened on.</summary>
    /// <param name="Option">What names it on the command line.</param>
    internal sealed record Listener(string Option, string Url, IPEndPoint Endpoint, bool IsTls)
    {
        public bool IsLoopback => IPAddress.IsLoopback(Endpoint.Address);
    }
}
