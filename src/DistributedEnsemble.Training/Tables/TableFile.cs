using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Training.Tables;

/// <summary>A table's bytes, which can be read more than once; what they are is found by looking, not from a name.</summary>
/// <param name="name">What errors call it.</param>
/// <param name="open">Opens the bytes at their beginning.</param>
internal sealed class TableFile(string name, Func<Stream> open)
{
    private const int SampleBytes = 1 << 20, BufferBytes = 1 << 16;

    public string Name => name;

    /// <summary>A file of this machine.</summary>
    /// <exception cref="DataException">When it is read, and cannot be.</exception>
    public static TableFile Of(string path, string name) => new(name, () =>
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{name} cannot be read: {e.Message}", e);
        }
    });

    public byte[] Sha256()
    {
        using var file = open();
        return SHA256.HashData(file);
    }

    /// <summary>How the table is written, by its first mebibyte.</summary>
    /// <param name="header">Whether there is a header; null finds it by looking.</param>
    /// <exception cref="DataException">The file is empty or damaged.</exception>
    public TableFormat Detect(bool? header)
    {
        using var file = open();
        var start = Start(file, 4);
        if (start.AsSpan().StartsWith("PAR1"u8)) return new TableFormat(null, '.', null, true, TableFormat.ParquetFile, TableFormat.Uncompressed);
        if (start.Length > 0 && name.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase))
            throw new DataException($"{name} cannot be read as Parquet: it is cut short or damaged, or something else. Write it again.");
        using var bytes = new GuardedStream(Uncompressed(start, file, out var compression), name);
        var sample = Start(bytes, SampleBytes);
        var encoding = sample.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xff, 0xfe]) ? TableFormat.Utf16Little
            : sample.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xfe, 0xff]) ? TableFormat.Utf16Big : TableFormat.Utf8;
        var text = encoding == TableFormat.Utf8 ? sample : Encoding.Convert(CharactersOf(encoding), Encoding.UTF8, sample);
        if (text.AsSpan().StartsWith(Encoding.UTF8.Preamble)) text = text[Encoding.UTF8.Preamble.Length..];
        return FormatDetection.Of(text, isWhole: sample.Length < SampleBytes, header, name) with { Encoding = encoding, Compression = compression };
    }

    /// <summary>The cells of the first row.</summary>
    public IReadOnlyList<string> Names(TableFormat format)
    {
        using var rows = Read(format with { Header = false });
        if (!rows.Read()) return [];
        var buffer = new char[64];
        var names = new List<string>();
        for (var i = 0; i < rows.Columns.Count; i++) names.Add(rows[i].Text(ref buffer).ToString());
        return names;
    }

    /// <exception cref="DataException">The columns cannot be told apart.</exception>
    public ITableRows Read(TableFormat format)
    {
        var file = open();
        try
        {
            if (format.IsParquet) return new ParquetRows(Seekable(file), name);
            var start = Start(file, 4);
            var bytes = new GuardedStream(Uncompressed(start, file, out _), name);
            return new TextRows(AsUtf8(bytes, format), name, format);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static Stream Seekable(Stream file)
    {
        if (file.CanSeek) return file;
        var copy = new FileStream(Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, BufferBytes, FileOptions.DeleteOnClose);
        using (file) file.CopyTo(copy);
        return copy;
    }

    private static BufferedStream AsUtf8(Stream bytes, TableFormat format)
    {
        if (format.Encoding != TableFormat.Utf8) bytes = Encoding.CreateTranscodingStream(bytes, CharactersOf(format.Encoding), Encoding.UTF8);
        var mark = Encoding.UTF8.Preamble;
        var start = Start(bytes, mark.Length);
        return start.AsSpan().SequenceEqual(mark) ? new BufferedStream(bytes, BufferBytes) : new BufferedStream(new PrefixedStream(start, bytes), BufferBytes);
    }

    private static Encoding CharactersOf(string encoding) => encoding == TableFormat.Utf16Big ? Encoding.BigEndianUnicode : Encoding.Unicode;

    private static Stream Uncompressed(byte[] start, Stream rest, out string compression)
    {
        var whole = new PrefixedStream(start, rest);
        var isGzip = start is [0x1f, 0x8b, ..];
        compression = isGzip ? TableFormat.Gzip : TableFormat.Uncompressed;
        return isGzip ? new GZipStream(whole, CompressionMode.Decompress) : whole;
    }

    private static byte[] Start(Stream stream, int count)
    {
        var buffer = new byte[count];
        var read = stream.ReadAtLeast(buffer, count, throwOnEndOfStream: false);
        return buffer[..read];
    }
}
