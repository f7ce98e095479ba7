using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace DistributedEnsemble.Serving.Authorization;

/// <summary>
/// What a browser keeps in place of a key: an end, and a proof of it that only a holder of the key can make. Nothing is stored of
/// it, so every server that knows the key knows the session, and a key that is withdrawn ends its sessions.
/// </summary>
/// <param name="End">Seconds since 1970.</param>
/// <param name="Proof">HMAC-SHA256 over the end, by the key's hash.</param>
internal sealed record SessionToken(long End, byte[] Proof)
{
    private const char Separator = '.';

    public static SessionToken Of(byte[] key, DateTimeOffset end)
    {
        var token = new SessionToken(end.ToUnixTimeSeconds(), []);
        return token with { Proof = token.ProofBy(key) };
    }

    /// <returns>Null for a text that is no token, and for one that has ended.</returns>
    public static SessionToken? Parse(string? text, DateTimeOffset now)
    {
        var proof = new byte[SHA256.HashSizeInBytes];
        return text?.Split(Separator) is [var seconds, var encoded]
            && long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var end) && end > now.ToUnixTimeSeconds()
            && encoded.Length == Base64Url.GetEncodedLength(proof.Length) && Base64Url.TryDecodeFromChars(encoded, proof, out var length) && length == proof.Length
                ? new SessionToken(end, proof)
                : null;
    }

    public byte[] ProofBy(byte[] key) => HMACSHA256.HashData(key, Encoding.ASCII.GetBytes($"ensemble-session:{End}"));

    public override string ToString() => $"{End}{Separator}{Base64Url.EncodeToString(Proof)}";
}
