using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using DistributedEnsemble.Silo.Http;

namespace DistributedEnsemble.Client.Servers;

/// <summary>Commands that ask a server, to be copied: with its key and certificate, under an address that can be asked.</summary>
/// <param name="url">Where it listens.</param>
internal sealed class ServerExamples(string url, HttpSettings settings)
{
    private readonly string _url = Reachable(new Uri(url), settings);
    private readonly bool _isTls = url.StartsWith("https:", StringComparison.Ordinal);
    private readonly bool _needsKey = settings.InferenceKey is not null || settings.InferenceKeyFile is not null;

    public string Curl(string path) =>
        $"curl {(_isTls ? $"--cacert {settings.Certificate} " : "")}{(_needsKey ? $"-H \"Authorization: Bearer ${PredictionServer.KeyVariable}\" " : "")}{_url}{path}";

    public string Predict(string run) => $"{(_isTls ? $"SSL_CERT_FILE={settings.Certificate} " : "")}ensemble predict {run} --input rows.csv --url {_url}";

    /// <summary>What must be set before; null if nothing must.</summary>
    public string? Before => _needsKey ? $"export {PredictionServer.KeyVariable}={(settings.InferenceKeyFile is { } file ? $"$(head -n 1 {file})" : "KEY")}" : null;

    /// <summary>What listens on every address is asked on loopback, or by the name that its certificate is for.</summary>
    private static string Reachable(Uri url, HttpSettings settings)
    {
        if (!IPAddress.TryParse(url.Host.Trim('[', ']'), out var address) || (!address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any))) return $"{url.Scheme}://{url.Authority}";
        var loopback = address.AddressFamily == AddressFamily.InterNetwork ? "127.0.0.1" : "[::1]";
        return $"{url.Scheme}://{(url.Scheme == "https" ? NameIn(settings.Certificate!, loopback) : loopback)}:{url.Port}";
    }

    private static string NameIn(string certificateFile, string loopback)
    {
        using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(certificateFile));
        return certificate.MatchesHostname(loopback.Trim('[', ']')) ? loopback : certificate.GetNameInfo(X509NameType.DnsName, forIssuer: false);
    }
}
