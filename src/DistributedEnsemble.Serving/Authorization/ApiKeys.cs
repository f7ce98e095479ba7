using System.Security.Cryptography;
using System.Text;

namespace DistributedEnsemble.Serving.Authorization;

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

    /// <summary>Whether any key is set: without one everybody may do everything.</summary>
    public bool AreSet => _inference.Count > 0 || _admin.Count > 0;

    /// <summary>Who sends a key; nobody, if there is none.</summary>
    public Holder HolderOf(string? key) => key is null ? Holder.Nobody : HolderOf(Hash(key), FixedTimeEquals);

    /// <summary>Who was given a session, which proves the key without holding it.</summary>
    public Holder HolderOf(SessionToken token) => HolderOf(token.Proof, (known, proof) => FixedTimeEquals(token.ProofBy(known), proof));

    /// <summary>Whether somebody may use an endpoint. Where no key is set at all, everybody may.</summary>
    public Decision Decide(Access access, Holder holder) =>
        access == Access.Anyone || !AreSet ? Decision.Allowed
        : holder.IsAdmin || (access == Access.Inference && (holder.IsInference || _inference.Count == 0)) ? Decision.Allowed
        : holder.IsInference ? Decision.Insufficient
        : Decision.Unknown;

    /// <summary>A session of a key's holder that ends at a time.</summary>
    /// <returns>Null for a key that is none of these.</returns>
    public SessionToken? Begin(string key, DateTimeOffset end) => HolderOf(key) is { IsAdmin: false, IsInference: false } ? null : SessionToken.Of(Hash(key), end);

    /// <summary>Names a key in a log, which must not hold it.</summary>
    public static string NameOf(string key) => NameOf(Hash(key));

    /// <summary>What somebody has shown a key of.</summary>
    /// <param name="Name">Names the key in a log, which must not hold it; null if there was none.</param>
    internal readonly record struct Holder(bool IsAdmin, bool IsInference, string? Name)
    {
        public static Holder Nobody => default;
    }

    internal enum Decision
    {
        Allowed,

        /// <summary>The key opens other endpoints, and not this one.</summary>
        Insufficient,

        /// <summary>No key, or a wrong one.</summary>
        Unknown,
    }

    /// <summary>Every key is compared, whatever the first says.</summary>
    private Holder HolderOf(byte[] sent, Func<byte[], byte[], bool> matches)
    {
        var (isAdmin, isInference, name) = (false, false, NameOf(sent));
        foreach (var known in _admin) isAdmin |= Matches(known);
        foreach (var known in _inference) isInference |= Matches(known);
        return new Holder(isAdmin, isInference, name);

        bool Matches(byte[] known)
        {
            if (!matches(known, sent)) return false;
            name = NameOf(known);
            return true;
        }
    }

    private static string NameOf(byte[] hash) => Convert.ToHexStringLower(hash.AsSpan(0, 4));

    private static bool FixedTimeEquals(byte[] known, byte[] sent) => CryptographicOperations.FixedTimeEquals(known, sent);

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
