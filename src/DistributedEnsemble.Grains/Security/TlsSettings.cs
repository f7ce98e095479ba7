using Microsoft.Extensions.Configuration;

namespace DistributedEnsemble.Grains.Security;

/// <summary>
/// Where this process finds what it proves itself with, and whom it believes: PEM files, as <c>deploy/make-certificates</c>
/// makes them.
/// </summary>
/// <param name="CertificateFile">This process's certificate; intermediate certificates may follow it.</param>
/// <param name="KeyFile">The certificate's private key, not encrypted.</param>
/// <param name="AuthorityFile">The one authority (or several, while one replaces another) whose certificates are believed.</param>
public sealed record TlsSettings(string CertificateFile, string KeyFile, string AuthorityFile)
{
    /// <summary>How long a peer may take to prove itself.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Reads <c>ENSEMBLE__TLS__CERTIFICATE</c>, <c>ENSEMBLE__TLS__KEY</c> and <c>ENSEMBLE__TLS__AUTHORITY</c>, or the same keys
    /// from any other source of the configuration. Null when none of them is set.
    /// </summary>
    /// <exception cref="TlsException">Some are set, others are not.</exception>
    public static TlsSettings? Read(IConfiguration configuration)
    {
        string[] names = ["Certificate", "Key", "Authority"];
        var files = Array.ConvertAll(names, name => configuration[$"Ensemble:Tls:{name}"] is { Length: > 0 } file ? file : null);
        var missing = names.Where((_, i) => files[i] is null).Select(name => $"ENSEMBLE__TLS__{name.ToUpperInvariant()}").ToList();
        if (missing.Count == names.Length) return null;
        if (missing.Count > 0)
        {
            throw new TlsException($"{string.Join(" and ", missing)} {(missing.Count == 1 ? "is" : "are")} not set: mutual TLS needs a certificate, " +
                "its key and the authority that signed it (deploy/make-certificates makes them).");
        }
        return new TlsSettings(files[0]!, files[1]!, files[2]!);
    }
}
