using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;

namespace DistributedEnsemble.Training.Data;

/// <summary>An array of bytes as IDX files hold it (LeCun's format of MNIST).</summary>
internal sealed record IdxArray(int[] Shape, byte[] Values);

/// <summary>
/// Reads IDX files of unsigned bytes, gzipped or not. The header's sizes are only a claim: memory grows with the bytes that
/// are really there.
/// </summary>
internal static class IdxReader
{
    private const int UnsignedByte = 0x08;
    private const int FirstPart = 1 << 16;

    /// <param name="dimensions">How many the array must have.</param>
    /// <param name="hash">Gets the uncompressed contents, if given.</param>
    /// <exception cref="DataException">The file cannot be read, is damaged, or is of another kind.</exception>
    public static IdxArray Read(string path, int dimensions, IncrementalHash? hash = null)
    {
        try
        {
            using var file = File.OpenRead(path);
            return Read(file, path, dimensions, hash);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <param name="file">Seekable.</param>
    public static IdxArray Read(Stream file, string path, int dimensions, IncrementalHash? hash = null)
    {
        try
        {
            var gzipped = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
            file.Position = 0;
            if (!gzipped) return ReadContents(file, path, dimensions, hash);
            using var contents = new GZipStream(file, CompressionMode.Decompress, leaveOpen: true);
            return ReadContents(contents, path, dimensions, hash);
        }
        catch (InvalidDataException e)
        {
            throw new DataException($"{path} is damaged: its gzip data is not valid.", e);
        }
    }

    private static IdxArray ReadContents(Stream contents, string path, int dimensions, IncrementalHash? hash)
    {
        var header = new byte[4 + (4 * dimensions)];
        if (contents.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length)
            throw new DataException($"{path} is cut short: its header takes {header.Length} bytes.");
        var magic = BinaryPrimitives.ReadUInt32BigEndian(header);
        var expected = (uint)((UnsignedByte << 8) | dimensions);
        if (magic != expected)
            throw new DataException($"{path} is not an IDX file of {dimensions} dimensions of bytes: its magic number is {magic:x8}, not {expected:x8}.");

        var sizes = new uint[dimensions];
        for (var i = 0; i < dimensions; i++) sizes[i] = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4 + (4 * i)));
        var count = sizes.Aggregate(UInt128.One, (product, size) => product * size);
        if (count == 0) throw new DataException($"{path} is damaged: its header says {string.Join('×', sizes)} values.");
        if (count > (UInt128)Array.MaxLength)
            throw new DataException($"{path} has {string.Join('×', sizes)} values, as its header says: one IDX file is read up to {Array.MaxLength:N0}. Take a part of them.");
        hash?.AppendData(header);
        return new IdxArray([.. sizes.Select(size => (int)size)], ReadValues(contents, path, (int)count, hash));
    }

    private static byte[] ReadValues(Stream contents, string path, int count, IncrementalHash? hash)
    {
        var values = new byte[Math.Min(count, FirstPart)];
        for (var read = 0; ;)
        {
            var part = contents.ReadAtLeast(values.AsSpan(read), values.Length - read, throwOnEndOfStream: false);
            hash?.AppendData(values, read, part);
            read += part;
            if (read < values.Length) throw new DataException($"{path} is cut short: it has {read} of {count} values.");
            if (read == count) break;
            Array.Resize(ref values, (int)Math.Min(count, 2L * values.Length));
        }

        return contents.ReadByte() < 0 ? values : throw new DataException($"{path} is damaged: bytes follow its {count} values.");
    }
}
