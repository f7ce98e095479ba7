using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Safetensors;

namespace DistributedEnsemble.Training.Tests.Safetensors;

/// <summary>Files of 2 GiB and a little less or more, of which only what is asked for is ever made.</summary>
public sealed class LargeFileTests
{
    public static TheoryData<long> Lengths => [(1L << 31) - 4, 1L << 31, (1L << 31) + 4, 1L << 33];

    [Theory, MemberData(nameof(Lengths))]
    public void A_tensor_behind_a_large_one_is_read_from_where_it_is(long bytes)
    {
        var header = Encoding.UTF8.GetBytes(
            $$"""{"large":{"dtype":"F32","shape":[{{bytes / 4}}],"data_offsets":[0,{{bytes}}]},"small":{"dtype":"F32","shape":[2],"data_offsets":[{{bytes}},{{bytes + 8}}]} }""");
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        using var reader = SafetensorsReader.Open(new SparseStream([.. length, .. header], [1, 2], bytes), "large.safetensors");
        var small = new float[2];

        reader.Read(reader.Tensors[1], MemoryMarshal.AsBytes(small.AsSpan()));

        Assert.Equal([bytes, 8], reader.Tensors.Select(tensor => tensor.ByteCount));
        Assert.Equal(bytes, reader.Tensors[1].Offset);
        Assert.Equal([1f, 2], small);
    }

    [Theory, MemberData(nameof(Lengths))]
    public void The_places_of_what_is_written_behind_a_large_tensor_are_those_of_its_bytes(long bytes)
    {
        var written = new MemoryStream();
        NamedTensor[] tensors = [new("large", ElementType.F32, [bytes / 4], _ => throw new NotSupportedException("It is not made.")), new("small", ElementType.F32, [2], _ => { })];

        Assert.Throws<NotSupportedException>(() => SafetensorsWriter.Write(written, tensors));

        using var header = JsonDocument.Parse(Encoding.UTF8.GetString(written.ToArray().AsSpan(8)));
        Assert.Equal([0, bytes], Offsets("large"));
        Assert.Equal([bytes, bytes + 8], Offsets("small"));

        IEnumerable<long> Offsets(string name) => header.RootElement.GetProperty(name).GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt64());
    }

    [Theory, MemberData(nameof(Lengths))]
    public void A_vector_is_handed_over_in_parts_that_are_all_of_it(long bytes)
    {
        if (bytes > 1L << 32) bytes = (1L << 31) + (1L << 24);
        using var vector = new NativeVector(bytes / 4);
        vector.Slice(vector.Length - 1, 1)[0] = 7;
        var (handed, parts, last) = (0L, 0, 0f);

        new NamedTensor("large", [vector.Length], vector).Read(part => (handed, parts, last) = (handed + part.Length, parts + 1, MemoryMarshal.Cast<byte, float>(part)[^1]));

        Assert.Equal((bytes, 7f), (handed, last));
        Assert.InRange(parts, 2, int.MaxValue);
    }

    [Fact]
    public void A_tensor_is_read_into_a_vector_in_parts()
    {
        var values = Enumerable.Range(0, 1000).Select(i => (float)i).ToArray();
        var file = new MemoryStream();
        SafetensorsWriter.Write(file, [new("first", ElementType.F32, [1], sink => sink(new byte[4])), new("all", ElementType.F32, [1000], sink => sink(MemoryMarshal.AsBytes(values.AsSpan())))]);
        using var reader = SafetensorsReader.Open(file, "all.safetensors");
        using var vector = new NativeVector(1000);

        foreach (var part in (int[])[1, 3, 999, 1000, 1001])
        {
            vector.Span.Clear();
            reader.Read(reader.Tensors[1], vector, part);
            Assert.Equal(values, vector.Span);
        }
    }

    /// <summary>Some bytes, a gap that cannot be read, and numbers.</summary>
    private sealed class SparseStream(byte[] first, float[] last, long gap) : Stream
    {
        private readonly byte[] _last = MemoryMarshal.AsBytes(last.AsSpan()).ToArray();

        public override bool CanRead => true;
        public override bool CanSeek => true;
        public override bool CanWrite => false;
        public override long Length => first.Length + gap + _last.Length;
        public override long Position { get; set; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var (bytes, start) = Position < first.Length ? (first, 0L) : Position >= first.Length + gap ? (_last, first.Length + gap) : throw new IOException("There is nothing.");
            var read = Math.Min(count, (int)(start + bytes.Length - Position));
            bytes.AsSpan((int)(Position - start), read).CopyTo(buffer.AsSpan(offset));
            Position += read;
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
