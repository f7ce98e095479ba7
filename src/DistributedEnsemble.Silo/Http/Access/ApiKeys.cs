using System.Security.Cryptography;
using System.Text;

namespace DistributedEnsemble.Silo.Http;

/// <summary>The keys of a server. They are compared in a time that does not depend on what was sent.</summary>
internal sealed class ApiKeys
{
    /// <summary>Characters of a key that cannot be guessed.</summary>
    private const int Shortest = 16;

    private readonly IReadOnlyList<byte[]> _inference, _admin;

    private ApiKeys(IReadOnlyList<byte[]> inference, IReadOnlyList<byte[]> admin) => (_inference, _admin) = (inference, admin);

    public bool HasInferenceKey => _inference.Count > 0;

    /// <exception cref="HttpSettingsException">A file cannot be read, or a key is too short.</exception>
    public static ApiKeys Read(HttpSettings settings) => new(
        Read(settings.InferenceKey, settings.InferenceKeyFile, nameof(settings.InferenceKey)),
        Read(settings.AdminKey, settings.AdminKeyFile, nameof(settings.AdminKey)));

    /// <summary>Whether a request with this key may use an endpoint. Where no key is set at all, everybody may.</summary>
    public Decision Decide(Access access, string? key)
    {
        if (access == Access.Anyone || (_inference.Count == 0 && _admin.Count == 0)) return Decision.Allowed;
        // Both are compared, whatever the first says.
        var (isAdmin, isInference) = (IsOneOf(_admin, key), IsOneOf(_inference, key));
        return isAdmin || (access == Access.Inference && (isInference || _inference.Count == 0)) ? Decision.Allowed
            : isInference ? Decision.Insufficient
            : Decision.Unknown;
    }

    /// <summary>Names a key in a log, which must not hold it.</summary>
    public static string? NameOf(string? key) => key is null ? null : Convert.ToHexStringLower(Hash(key).AsSpan(0, 4));

    internal enum Decision
    {
        Allowed,

        /// <summary>The key opens other endpoints, and not this one.</summary>
        Insufficient,

        /// <summary>No key, or a wrong one.</summary>
        Unknown,
    }

    private static bool IsOneOf(IReadOnlyList<byte[]> keys, string? key)
    {
        var hash = Hash(key ?? "");
        var found = false;
        foreach (var known in keys) found |= CryptographicOperations.FixedTimeEquals(known, hash);
        return found && key is not null;
    }

    private static List<byte[]> Read(string? key, string? file, string name)
    {
        var keys = new List<string>();
        if (!string.IsNullOrWhiteSpace(key)) keys.Add(key.Trim());
        if (!string.IsNullOrWhiteSpace(file)) keys.AddRange(Lines(file, $"{name}File"));
        return keys.All(text => text.Length >= Shortest) ? [.. keys.Select(Hash)] : throw new HttpSettingsException(
            $"{HttpSettingsCheck.Name(name)} is shorter than {Shortest} characters: a key must not be guessed (`openssl rand -hex 32` makes one).");
    }

    private static List<string> Lines(string file, string name)
    {
        try
        {
            var lines = File.ReadLines(file).Select(line => line.Trim()).Where(line => line.Length > 0).ToList();
            return lines.Count > 0 ? lines : throw new HttpSettingsException($"{HttpSettingsCheck.Name(name)} {file} is empty: it holds one key on each line.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new HttpSettingsException($"{HttpSettingsCheck.Name(name)} {file} cannot be read: it holds one key on each line.");
        }
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
