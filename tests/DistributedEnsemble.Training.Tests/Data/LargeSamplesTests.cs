using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Training.Tests.Data;

/// <summary>Inputs of 2 GiB and a little less or more. Their memory is never touched but for a few rows, so that it takes none.</summary>
public sealed class LargeSamplesTests
{
    private const int Width = 1 << 14;

    /// <summary>Rows whose bytes are one row short of 2 GiB, 2 GiB, and one row more: int.MaxValue lies between.</summary>
    public static TheoryData<int> Counts => [(1 << 15) - 1, 1 << 15, (1 << 15) + 1];

    [Theory, MemberData(nameof(Counts))]
    public void The_last_rows_are_where_they_were_written_in_their_order_chosen_and_copied(int count)
    {
        var inputs = new NativeVector((long)count * Width);
        using var samples = new Samples(inputs, new float[count]);
        foreach (var row in (int[])[0, 1, count - 2, count - 1])
        {
            inputs.Slice((long)row * Width, Width).Fill(row);
            samples.Targets[row] = -row;
        }

        Assert.Equal((count, Width), (samples.Count, samples.Width));
        Assert.Equal([.. Row(count - 2), .. Row(count - 1)], samples.InputsOf(count - 2, 2));
        var chosen = samples.Chosen([count - 1, 0, count - 2]);
        Assert.Equal([.. Row(count - 1), .. Row(0), .. Row(count - 2)], chosen.InputsOf(0, 3));
        Assert.Equal([1f - count, 0, 2 - count], chosen.Targets);
        using var copy = samples.Rows([count - 1, 1]);
        Assert.Equal([.. Row(count - 1), .. Row(1)], copy.InputsOf(0, 2));
    }

    [Theory, MemberData(nameof(Counts))]
    public void What_comes_row_by_row_lies_where_it_belongs(int count)
    {
        using var memory = SampleMemory.Of("rows", Width, Preprocessing.None, [count], available: long.MaxValue)[0];
        for (var row = 0; row < count - 1; row++) memory.Add(row);
        memory.Add(count - 1).Fill(7);

        using var samples = memory.ToSamples();

        Assert.Equal(7f, samples.InputsOf(count - 1, 1)[^1]);
        Assert.Equal(0f, samples.InputsOf(count - 2, 1)[^1]);
        Assert.Equal((float)(count - 1), samples.Targets[^1]);
    }

    [Fact]
    public void A_vector_is_zero_and_aligned_whatever_its_length()
    {
        foreach (var length in (int[])[0, 1, 15, 16, 17, 1000])
        {
            using var vector = new NativeVector(length);
            unsafe
            {
                Assert.Equal(0, (nint)vector.Start % 64);
            }

            Assert.Equal(new float[length], vector.Span);
            vector.Span.Fill(1);
        }
    }

    private static float[] Row(int value) => [.. Enumerable.Repeat((float)value, Width)];
}
