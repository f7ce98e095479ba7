using System.Buffers;
using System.Runtime.InteropServices;
using DistributedEnsemble.Files;
using DistributedEnsemble.Training.Files;
using Microsoft.Win32.SafeHandles;

namespace DistributedEnsemble.Training.Data;

/// <summary>
/// Inputs in a file without a name, written once, from the beginning to the end: the system keeps of it in memory what there is room
/// for. Rows that are asked for one by one are read one by one, from any number of threads.
/// </summary>
internal sealed partial class InputFile : SampleInputs
{
    /// <summary>Rows so few numbers apart, about a page, are read at once, with what lies between them.</summary>
    private const int MostBetween = 1 << 10;

    /// <summary>Numbers that are read at once.</summary>
    private const int BlockNumbers = 1 << 14;

    private readonly string _folder;
    private readonly FileStream _file;

    /// <summary>Taken once: a stream seeks, under a lock, whenever it is asked for its own.</summary>
    private readonly SafeFileHandle _handle;

    private long _length;

    /// <param name="length">Numbers that there must be room for.</param>
    /// <exception cref="IOException">The file cannot be made, or there is no room.</exception>
    public InputFile(string folder, long length)
    {
        (_folder, _file) = (folder, new ScratchFiles(folder).Create());
        _handle = _file.SafeFileHandle;
        try
        {
            if (length > 0) Allocate(length * sizeof(float));
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    public override long Length => _length;

    public override bool IsInMemory => false;

    /// <summary>Writes the next numbers.</summary>
    /// <exception cref="StorageAwayException">They cannot be written now; there may be room later.</exception>
    public void Append(ReadOnlySpan<float> numbers)
    {
        try
        {
            FileOperations.Before("append", _file.Name);
            RandomAccess.Write(_handle, MemoryMarshal.AsBytes(numbers), _length * sizeof(float));
            _length += numbers.Length;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StorageAwayException(
                $"The table's inputs cannot be written to a file in {_folder}: {exception.Message.TrimEnd('.')}. {(_length + numbers.Length) * sizeof(float):N0} bytes and more must fit there.", exception);
        }
    }

    public override ReadOnlySpan<float> Slice(long start, int length, Span<float> copy)
    {
        Read(start, copy[..length]);
        return copy[..length];
    }

    public override void Gather(ReadOnlySpan<int> rows, int width, Span<float> target)
    {
        while (rows.Length > 0)
        {
            var (near, first) = (Near(rows, width), (long)rows[0] * width);
            if (rows[near - 1] - rows[0] == near - 1) Read(first, target[..(near * width)]);
            else ReadBlock(rows[..near], width, target);
            rows = rows[near..];
            target = target[(near * width)..];
        }
    }

    public override void Dispose() => _file.Dispose();

    /// <summary>How many of the first rows follow each other so closely that they are read at once, with what lies between them.</summary>
    private static int Near(ReadOnlySpan<int> rows, int width)
    {
        var count = 1;
        while (count < rows.Length && rows[count] > rows[count - 1]
            && (rows[count] - rows[count - 1] - 1L) * width <= MostBetween && (rows[count] - rows[0] + 1L) * width <= BlockNumbers) count++;
        return count;
    }

    private void ReadBlock(ReadOnlySpan<int> rows, int width, Span<float> target)
    {
        var block = ArrayPool<float>.Shared.Rent(BlockNumbers);
        try
        {
            var read = block.AsSpan(0, (rows[^1] - rows[0] + 1) * width);
            Read((long)rows[0] * width, read);
            for (var i = 0; i < rows.Length; i++) read.Slice((rows[i] - rows[0]) * width, width).CopyTo(target[(i * width)..]);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(block);
        }
    }

    private void Read(long start, Span<float> numbers)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + numbers.Length, _length);
        var bytes = MemoryMarshal.AsBytes(numbers);
        var place = start * sizeof(float);
        try
        {
            while (bytes.Length > 0)
            {
                var count = RandomAccess.Read(_handle, bytes, place);
                if (count == 0) throw Unreadable($"it ends at byte {place:N0} of {_length * sizeof(float):N0}");
                bytes = bytes[count..];
                place += count;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(exception.Message.TrimEnd('.'), exception);
        }
    }

    private DataException Unreadable(string reason, Exception? exception = null) =>
        new($"The file in {_folder} that the table's inputs were written to cannot be read: {reason}.", exception);

    /// <summary>Takes the room at once, where the file system can: what is full later takes nothing away from it.</summary>
    private void Allocate(long bytes)
    {
        if (!OperatingSystem.IsLinux() || Allocate(_handle, 0, 0, bytes) == 0) return;
        const int TooLarge = 27, NoSpace = 28, Quota = 122;
        if (Marshal.GetLastPInvokeError() is TooLarge or NoSpace or Quota) throw new IOException(Marshal.GetLastPInvokeErrorMessage());
    }

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int Allocate(SafeFileHandle file, int mode, long start, long bytes);
}
