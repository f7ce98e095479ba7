using System.IO.Compression;
using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Training.Tests.Data;

public class IdxReaderTests
{
    private static readonly byte[] Labels = [0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9];

    [Fact]
    public void An_array_is_read_gzipped_or_not()
    {
        Assert.Equal([7, 8, 9], Read(Labels).Values);
        Assert.Equal([7, 8, 9], Read(Gzip(Labels)).Values);
        Assert.Equal([3], Read(Labels).Shape);
    }

    [Fact]
    public void A_wrong_magic_number_is_told() => Refuses(
        [0, 0, 8, 3, .. Labels[4..]], "l.idx is not an IDX file of 1 dimensions of bytes: its magic number is 00000803, not 00000801.");

    [Fact]
    public void A_cut_file_is_told()
    {
        Refuses(Labels[..6], "l.idx is cut short: its header takes 8 bytes.");
        Refuses(Labels[..10], "l.idx is cut short: it has 2 of 3 values.");
        Refuses([.. Labels, 1], "l.idx is damaged: bytes follow its 3 values.");
        Assert.Throws<DataException>(() => Read(Gzip(Labels)[..^10]));
    }

    [Fact]
    public void Gzip_data_that_is_not_valid_is_told()
    {
        var bytes = Gzip(Labels);
        bytes[10] = 0xff;
        Refuses(bytes, "l.idx is damaged: its gzip data is not valid.");
    }

    [Fact]
    public void An_absurd_size_is_not_allocated()
    {
        byte[] file = [0, 0, 8, 1, 0x7f, 0, 0, 0, 1, 2];
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refuses(file, "l.idx is cut short: it has 2 of 2130706432 values.");
        Refuses([0, 0, 8, 1, 0xff, 0xff, 0xff, 0xff], "l.idx has 4294967295 values, as its header says: one IDX file is read up to 2,147,483,591. Take a part of them.");
        Refuses([0, 0, 8, 1, 0x7f, 0xff, 0xff, 0xc8], "l.idx has 2147483592 values, as its header says: one IDX file is read up to 2,147,483,591. Take a part of them.");
        Refuses([0, 0, 8, 1, 0x7f, 0xff, 0xff, 0xc7], "l.idx is cut short: it has 0 of 2147483591 values.");
        Refuses([0, 0, 8, 1, 0, 0, 0, 0], "l.idx is damaged: its header says 0 values.");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
    }

    [Fact]
    public void Whatever_is_damaged_only_the_documented_exception_escapes_and_memory_stays_bounded()
    {
        foreach (var good in (byte[][])[Labels, Gzip(Labels)])
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var runs = Fuzz.Run(good, bytes => Read(bytes), typeof(DataException));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, runs * 300_000L);
        }
    }

    [Fact]
    public void Sizes_of_more_values_together_than_fit_are_told_as_they_are()
    {
        byte[] file = [0, 0, 8, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0];
        Assert.Equal(
            "x.idx has 65536×65536×65536 values, as its header says: one IDX file is read up to 2,147,483,591. Take a part of them.",
            Assert.Throws<DataException>(() => IdxReader.Read(new MemoryStream(file), "x.idx", 3)).Message);
    }

    private static IdxArray Read(byte[] bytes) => IdxReader.Read(new MemoryStream(bytes), "l.idx", 1);

    private static void Refuses(byte[] bytes, string message) => Assert.Equal(message, Assert.Throws<DataException>(() => Read(bytes)).Message);

    private static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(bytes);
        return packed.ToArray();
    }
}
