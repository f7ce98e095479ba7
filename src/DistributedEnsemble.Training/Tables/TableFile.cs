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
    private const int SampleBytes = 1 << 20, BufferBytes = 1 << 16, MostControls = 50;
    private const double MostlyAscii = 0.8;

    public string Name => name;

    /// <summary>A file of this machine.</summary>
    /// <exception cref="DataException">When it is read, and cannot be.</exception>
    public static TableFile Of(string path, string name) => new(name, () =>
    {
        try
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes, FileOptions.SequentialScan);
            if (file.CanSeek) return file;
            file.Dispose();
            throw new DataException($"{name} is a pipe or a device, and a table is read more than once: write it into a file first.");
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
        if (start.AsSpan().StartsWith("PK\x03\x04"u8) || start is [0xd0, 0xcf, 0x11, 0xe0])
            throw new DataException($"{name} is a workbook or an archive, and no text: save its sheet as CSV, or unpack it.");
        using var bytes = new GuardedStream(Uncompressed(start, file, out var compression), name);
        var sample = Start(bytes, SampleBytes);
        var isWhole = sample.Length < SampleBytes;
        var encoding = sample.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xff, 0xfe]) ? TableFormat.Utf16Little
            : sample.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xfe, 0xff]) ? TableFormat.Utf16Big
            : Wide(sample) ?? (WesternText.IsNeeded(sample, isWhole) ? TableFormat.Western : TableFormat.Utf8);
        if (!IsWide(encoding) && sample.AsSpan().Contains((byte)0)) throw new DataException($"{name} is no text: there are bytes of zero in it. Save it as CSV in UTF-8.");
        if (!IsWide(encoding) && OtherKind(sample) is { } other) throw new DataException($"{name} is {other}, and no table: save it as CSV in UTF-8.");
        using var characters = new MemoryStream();
        using (var text = AsUtf8(new MemoryStream(sample), encoding)) text.CopyTo(characters);
        if (IsWide(encoding) && OtherKind(characters.ToArray()) is { } wide) throw new DataException($"{name} is {wide}, and no table: save it as CSV in UTF-8.");
        return FormatDetection.Of(characters.ToArray(), isWhole, header, name) with { Encoding = encoding, Compression = compression };
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
            return new TextRows(AsUtf8(bytes, format.Encoding), name, format);
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

    private static BufferedStream AsUtf8(Stream bytes, string encoding)
    {
        if (IsWide(encoding)) bytes = Encoding.CreateTranscodingStream(bytes, encoding == TableFormat.Utf16Big ? Encoding.BigEndianUnicode : Encoding.Unicode, Encoding.UTF8);
        var mark = Encoding.UTF8.Preamble;
        var start = Start(bytes, mark.Length);
        var text = start.AsSpan().SequenceEqual(mark) ? bytes : new PrefixedStream(start, bytes);
        // A long file may be UTF-8 to the end of what was looked at, and not beyond.
        return new BufferedStream(IsWide(encoding) ? text : new WesternText(text), BufferBytes);
    }

    /// <summary>What people take for a table by mistake; null of what may be one.</summary>
    private static string? OtherKind(ReadOnlySpan<byte> sample)
    {
        var start = sample.TrimStart("\ufeff \t\r\n"u8);
        if (start.StartsWith("<!"u8) || start.StartsWith("<?"u8) || start.StartsWith("<html"u8)) return "a page or XML";
        if (start is [(byte)'{', ..] || (start is [(byte)'[', .. var rest] && rest.TrimStart(" \t\r\n"u8) is [(byte)'{' or (byte)'[', ..])) return "JSON";
        var controls = 0;
        // Text that was on a terminal has escapes, which some end with a bell.
        foreach (var character in sample) if (character < ' ' && character is not ((byte)'\t' or (byte)'\n' or (byte)'\r' or (byte)'\f' or (byte)'\v' or (byte)'\a' or 0x1b)) controls++;
        return controls > sample.Length / MostControls ? "made of bytes that are no text" : null;
    }

    /// <summary>UTF-16 without a mark: nearly all of a table's characters are those of ASCII, whose second byte is zero.</summary>
    private static string? Wide(ReadOnlySpan<byte> sample)
    {
        var zeros = new int[2];
        for (var i = 0; i < sample.Length; i++) if (sample[i] == 0) zeros[i % 2]++;
        var half = sample.Length / 2;
        return zeros[0] == 0 && zeros[1] > MostlyAscii * half ? TableFormat.Utf16Little : zeros[1] == 0 && zeros[0] > MostlyAscii * half ? TableFormat.Utf16Big : null;
    }

    private static bool IsWide(string encoding) => encoding is TableFormat.Utf16Little or TableFormat.Utf16Big;

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
