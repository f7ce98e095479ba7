namespace DistributedEnsemble.Tests.Processes;

/// <summary>What deploy/make-certificates made, as silos and drivers find it.</summary>
internal static class Certificates
{
    public static Dictionary<string, string> Of(string folder, string name) => new()
    {
        ["ENSEMBLE__TLS__CERTIFICATE"] = Path.Combine(folder, $"{name}.crt"),
        ["ENSEMBLE__TLS__KEY"] = Path.Combine(folder, $"{name}.key"),
        ["ENSEMBLE__TLS__AUTHORITY"] = Path.Combine(folder, "authority.crt"),
    };
}
