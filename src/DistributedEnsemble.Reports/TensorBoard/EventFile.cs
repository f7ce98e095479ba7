using System.Buffers.Binary;
using System.Numerics;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Reports.TensorBoard;

/// <summary>
/// A file of TensorBoard's events, which is appended to: each is a record of its length, its bytes, and masked CRC-32C of both.
/// </summary>
internal sealed class EventFile : IDisposable
{
    private readonly FileStream _file;

    /// <param name="folder">Of one of TensorBoard's runs: what was there of it goes.</param>
    public EventFile(string folder, DateTimeOffset begun)
    {
        NewFolder.Create(folder);
        foreach (var old in Directory.EnumerateFiles(folder, "events.out.tfevents.*").ToList()) File.Delete(old);
        _file = new FileStream(Path.Combine(folder, $"events.out.tfevents.{begun.ToUnixTimeSeconds():D10}.ensemble"), FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        Write(Event(begun, 0).Add(3, "brain.Event:2"));
    }

    public void Scalar(string tag, double value, long step, DateTimeOffset time) =>
        Write(Event(time, step).Add(5, new ProtobufMessage().Add(1, new ProtobufMessage().Add(1, tag).Add(2, (float)value))));

    /// <summary>Data of the plug-in that shows runs by what they were given.</summary>
    public void HyperParameters(string tag, ProtobufMessage content, DateTimeOffset time)
    {
        var metadata = new ProtobufMessage().Add(1, new ProtobufMessage().Add(1, "hparams").Add(2, content));
        Write(Event(time, 0).Add(5, new ProtobufMessage().Add(1, new ProtobufMessage().Add(1, tag).Add(9, metadata))));
    }

    public void Flush() => _file.Flush();

    public void Dispose() => _file.Dispose();

    /// <summary>CRC-32C, rotated and shifted so that a checksum of checksums is none of its own.</summary>
    internal static uint MaskedChecksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes) crc = BitOperations.Crc32C(crc, b);
        crc = ~crc;
        return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
    }

    private static ProtobufMessage Event(DateTimeOffset time, long step) => new ProtobufMessage().Add(1, time.ToUnixTimeMilliseconds() / 1000.0).Add(2, step);

    private void Write(ProtobufMessage message)
    {
        var bytes = message.ToArray();
        Span<byte> length = stackalloc byte[sizeof(ulong)], checksum = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)bytes.Length);
        _file.Write(length);
        BinaryPrimitives.WriteUInt32LittleEndian(checksum, MaskedChecksum(length));
        _file.Write(checksum);
        _file.Write(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(checksum, MaskedChecksum(bytes));
        _file.Write(checksum);
    }
}
