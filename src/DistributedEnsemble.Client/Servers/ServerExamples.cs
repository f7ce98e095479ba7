using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using DistributedEnsemble.Serving;

namespace DistributedEnsemble.Client.Servers;

/// <summary>Commands that ask a server, to be copied: with its key and certificate, under an address that can be asked.</summary>
internal sealed class ServerExamples
{
    private readonly string _url, _curl, _predict;
    private readonly string? _before;

    /// <param name="url">Where it listens.</param>
    /// <param name="authority">The file of the certificates' issuer, if that is known.</param>
    public ServerExamples(string url, HttpSettings settings, string? authority)
    {
        var listening = new Uri(url);
        var (host, trusted) = (Reachable(listening.Host), "");
        (_curl, _predict) = ("curl", "");
        if (settings.Certificate is { } file && listening.Scheme == "https")
        {
            using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(file));
            trusted = certificate.Issuer == certificate.Subject ? file : authority ?? "AUTHORITY.crt";
            var address = host.Trim('[', ']');
            if (!certificate.MatchesHostname(address))
            {
                host = certificate.GetNameInfo(X509NameType.DnsName, forIssuer: false);
                _curl += $" --resolve {host}:{listening.Port}:{address}";
            }

            (_curl, _predict) = ($"{_curl} --cacert {trusted}", $"SSL_CERT_FILE={trusted} ");
        }

        _url = $"{listening.Scheme}://{host}:{listening.Port}";
        if (settings.InferenceKey is null && settings.InferenceKeyFile is null) return;
        _before = $"export {PredictionServer.KeyVariable}={(settings.InferenceKeyFile is { } keys ? $"$(head -n 1 {keys})" : "KEY")}";
        _curl += $" -H \"Authorization: Bearer ${PredictionServer.KeyVariable}\"";
    }

    /// <summary>What must be set before; null if nothing must.</summary>
    public string? Before => _before;

    public string Curl(string path) => $"{_curl} {_url}{path}";

    public string Predict(string run) => $"{_predict}ensemble predict {run} --input rows.csv --url {_url}";

    /// <summary>What listens on every address is asked on loopback.</summary>
    private static string Reachable(string host) =>
        !IPAddress.TryParse(host.Trim('[', ']'), out var address) || (!address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any)) ? host
        : address.AddressFamily == AddressFamily.InterNetwork ? "127.0.0.1" : "[::1]";
}
