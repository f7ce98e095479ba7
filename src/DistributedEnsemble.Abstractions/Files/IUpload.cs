using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Files;

/// <summary>Takes a client's own data file into the store, in chunks; the key is the file's sha256, and so its only name there.</summary>
[Alias("ensemble.upload")]
public interface IUpload : IGrainWithStringKey
{
    /// <summary>Where to go on: the bytes that are there, of an upload that was broken off, too.</summary>
    /// <param name="length">Of the whole file.</param>
    /// <exception cref="RunRejectedException">It is longer than the store takes.</exception>
    [Alias("begin")]
    Task<long> BeginAsync(long length);

    /// <exception cref="RunRejectedException">Bytes before them are missing.</exception>
    [Alias("append")]
    Task AppendAsync(long offset, byte[] bytes);

    /// <summary>The file is whole: it is checked against its name, and can be trained on.</summary>
    /// <exception cref="RunRejectedException">It is another file; it has to be sent again.</exception>
    [Alias("complete"), ResponseTimeout(LongCalls.Limit)]
    Task CompleteAsync();
}

/// <summary>How a spec names data that was uploaded: upload:SHA256:NAME.</summary>
/// <param name="Name">Of the client's file, for people.</param>
public readonly record struct UploadedName(string Sha256, string Name)
{
    private const string Prefix = "upload:";

    /// <returns>Null if it is no such name.</returns>
    public static UploadedName? Parse(string dataset) =>
        dataset.StartsWith(Prefix, StringComparison.Ordinal) && dataset.Split(':', 3) is [_, var sha256, var name] && IsSha256(sha256)
            ? new UploadedName(sha256, name)
            : null;

    public static bool IsSha256(string text) => text.Length == 64 && text.All(c => char.IsAsciiHexDigitLower(c));

    public override string ToString() => $"{Prefix}{Sha256}:{Name}";
}
