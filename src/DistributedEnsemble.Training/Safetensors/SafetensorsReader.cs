using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using DistributedEnsemble.Files;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Safetensors;

/// <summary>
/// Reads safetensors that may be damaged or hostile: the header is checked as a whole when the file is opened, and the
/// data goes straight into memory that the caller allocated after comparing <see cref="Tensors"/> with its own shapes.
/// </summary>
public sealed class SafetensorsReader : IDisposable
{
    private const int PartBytes = 1 << 20;

    private readonly Stream _stream;
    private readonly string _file;
    private readonly long _buffer;
    private readonly SafetensorsHeader _header;

    private SafetensorsReader(Stream stream, string file)
    {
        _stream = stream;
        _file = file;
        var length = stream.Length;
        if (length < SafetensorsFormat.LengthBytes) throw Damaged($"{length} bytes are too few for a header");

        Span<byte> prefix = stackalloc byte[SafetensorsFormat.LengthBytes];
        Fill(prefix, 0);
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > SafetensorsFormat.LargestHeader) throw Damaged($"a header of {headerLength} bytes is over the limit of 100000000");
        _buffer = SafetensorsFormat.LengthBytes + (long)headerLength;
        if (_buffer > length) throw Damaged($"a header of {headerLength} bytes does not fit into {length} bytes");

        var json = new byte[headerLength];
        Fill(json, SafetensorsFormat.LengthBytes);
        _header = SafetensorsHeader.Parse(json, length - _buffer, Damaged);
    }

    /// <summary>The tensors in the order of their data.</summary>
    public IReadOnlyList<TensorEntry> Tensors => _header.Tensors;

    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <param name="sha256">If given, the data buffer must have this hash (lower-case hexadecimal).</param>
    /// <exception cref="SafetensorsException">The file is damaged, or cannot be read.</exception>
    public static SafetensorsReader Open(string path, string? sha256 = null) => Open(
        () => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 1), path, sha256);

    /// <summary>Opens weights of a run: a regular file of its folder, whatever stands in its place.</summary>
    /// <inheritdoc cref="Open(string, string)"/>
    internal static SafetensorsReader Open(RunFolder folder, WeightFile file) =>
        Open(() => folder.OpenRead(file.File), folder.Path(file.File), file.Sha256);

    private static SafetensorsReader Open(Func<Stream> open, string path, string? sha256)
    {
        Stream stream;
        try
        {
            stream = open();
        }
        catch (Exception e) when (e is (IOException or UnauthorizedAccessException or InvalidDataException) and not StorageAwayException)
        {
            throw new SafetensorsException($"{path} cannot be read: {e.Message}", e);
        }

        return Open(stream, path, sha256);
    }

    /// <param name="stream">Seekable; it belongs to the reader from now on, and is closed when it is damaged.</param>
    /// <param name="file">What errors call it.</param>
    /// <inheritdoc cref="Open(string, string)"/>
    public static SafetensorsReader Open(Stream stream, string file, string? sha256 = null)
    {
        try
        {
            var reader = new SafetensorsReader(stream, file);
            if (sha256 is not null && reader.ComputeSha256() is var found && found != sha256)
                throw reader.Damaged($"the sha256 of its data is {found}, expected was {sha256}");
            return reader;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>The hash of the data buffer, lower-case hexadecimal.</summary>
    public string ComputeSha256()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var part = new byte[PartBytes];
        for (var position = _buffer; position < _stream.Length; position += part.Length)
        {
            var bytes = part.AsSpan(0, (int)Math.Min(part.Length, _stream.Length - position));
            Fill(bytes, position);
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Reads one tensor's bytes into memory of exactly its size.</summary>
    public void Read(TensorEntry entry, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, entry.ByteCount, nameof(destination));
        Fill(destination, _buffer + entry.Offset);
    }

    /// <summary>Reads one tensor of float32 numbers into a vector of exactly its length.</summary>
    /// <param name="part">Numbers that are read at once: a span of bytes addresses no more than 2 GiB.</param>
    public void Read(TensorEntry entry, NativeVector destination, int part = NamedTensor.PartNumbers)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length * sizeof(float), entry.ByteCount, nameof(destination));
        for (var start = 0L; start < destination.Length; start += part)
        {
            Fill(
                MemoryMarshal.AsBytes(destination.Slice(start, (int)Math.Min(part, destination.Length - start))),
                _buffer + entry.Offset + (start * sizeof(float)));
        }
    }

    public void Dispose() => _stream.Dispose();

    private void Fill(Span<byte> bytes, long position)
    {
        try
        {
            _stream.Position = position;
            _stream.ReadExactly(bytes);
        }
        catch (IOException e)
        {
            throw new SafetensorsException($"{_file} cannot be read: {e.Message}", e);
        }
    }

    private SafetensorsException Damaged(string reason) => new($"{_file} is damaged: {reason}.");
}
