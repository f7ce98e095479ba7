using DistributedEnsemble.Files;
using DistributedEnsemble.Tests;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Training.Tests.Data;

/// <summary>Inputs in a file are those in memory.</summary>
public sealed class InputFileTests : IDisposable
{
    private const int Rows = 20_000, Width = 30;

    private readonly TemporaryFolder _folder = TemporaryFolder.OnDisk();
    private readonly Samples _memory, _file;

    public InputFileTests() => (_memory, _file) = (Samples(null), Samples(_folder.Path));

    public void Dispose()
    {
        _memory.Dispose();
        _file.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Rows_that_follow_each_other_are_those_in_memory()
    {
        Assert.Equal((_memory.Count, _memory.Width), (_file.Count, _file.Width));
        Assert.Equal(_memory.Targets, _file.Targets);
        foreach (var (first, count) in ((int, int)[])[(0, Rows), (0, 1), (Rows - 1, 1), (Rows, 0), (8737, 1000)])
            Assert.Equal(_memory.InputsOf(first, count), _file.InputsOf(first, count));
        Assert.Equal(_memory.InputsOf(17, 3, 4, []), _file.InputsOf(17, 3, 4, new float[4]));
    }

    /// <summary>Whether they are read one by one, at once, or with others between them.</summary>
    [Fact]
    public void Chosen_rows_are_those_in_memory_in_whatever_order()
    {
        var random = new Random(3);
        int[] shuffled = [.. Enumerable.Range(0, Rows)];
        random.Shuffle(shuffled);
        int[][] choices =
        [
            [], [0], [Rows - 1], shuffled, [.. Enumerable.Range(0, Rows)], [.. Enumerable.Range(0, Rows).Reverse()], [5, 5, 5, 6, 6, 7],
            [.. Enumerable.Range(0, Rows).Where(row => row % 10 == 3)], [.. Enumerable.Range(0, Rows).Where(row => row % 1000 == 3)],
            [.. shuffled[..5000].Order()], [.. shuffled[..300].Order(), .. shuffled[..300].Order(), 0, 1, 2, 100, 36, 35],
        ];
        foreach (var rows in choices)
        {
            var (expected, chosen) = (_memory.Chosen(rows), _file.Chosen(rows));
            Assert.Equal(expected.Targets, chosen.Targets);
            Assert.Equal(expected.InputsOf(0, rows.Length), chosen.InputsOf(0, rows.Length));
            if (rows.Length > 2) Assert.Equal(expected.InputsOf(1, rows.Length - 2, chosen.RoomFor(rows.Length)), chosen.InputsOf(1, rows.Length - 2));
            using var copy = _file.Rows(rows);
            Assert.Equal(expected.Inputs(), copy.Inputs());
            Assert.Equal(expected.Targets, copy.Targets);
        }
    }

    /// <summary>The last batch is smaller.</summary>
    [Theory]
    [InlineData(0, Rows)]
    [InlineData(3 * BatchedPrediction.BatchSize, (2 * BatchedPrediction.BatchSize) + 7)]
    public void Batches_that_are_predicted_are_those_in_memory(int start, int count)
    {
        var rows = _memory.InputsOf(start, count).ToArray().Select(number => (double)number);
        Assert.Equal(rows, BatchedPrediction.OfRows(new Inputs(), _file, start, count, TestContext.Current.CancellationToken));
        Assert.Equal(rows, BatchedPrediction.OfRows(new Inputs(), _memory, start, count, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Many_threads_read_at_once()
    {
        var failures = 0;
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(seed => new Thread(() =>
        {
            var (random, read, targets) = (new Random(seed), new float[64 * Width], new float[64]);
            for (var i = 0; i < 500; i++)
            {
                int[] rows = [.. Enumerable.Range(0, 64).Select(_ => random.Next(Rows))];
                if (i % 2 == 0) Array.Sort(rows);
                _file.CopyTo(rows, read, targets);
                if (!read.AsSpan().SequenceEqual(_memory.Chosen(rows).InputsOf(0, 64))) Interlocked.Increment(ref failures);
            }
        }))];
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();

        Assert.Equal(0, failures);
    }

    [Fact]
    public void The_file_has_no_name()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere a name goes with the process.");
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
        Assert.Equal(_memory.InputsOf(0, 5), _file.InputsOf(0, 5));
    }

    /// <summary>As a disk that fails would let it: what is missing is no row of zeros.</summary>
    [Fact]
    public void A_file_that_is_shorter_than_what_was_written_is_an_error_that_says_so()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The file is found by its descriptor.");
        const int Short = 9_000;
        var descriptor = Directory.EnumerateFileSystemEntries("/proc/self/fd").Single(link => new FileInfo(link).LinkTarget?.StartsWith(_folder.Path, StringComparison.Ordinal) == true);
        using (var file = new FileStream(descriptor, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete)) file.SetLength((Short * Width * 4L) + 8);

        Assert.Equal(_memory.InputsOf(Short - 1, 1), _file.InputsOf(Short - 1, 1));
        var expected = $"The file in {_folder.Path} that the table's inputs were written to cannot be read: it ends at byte {(Short * Width * 4) + 8:N0} of {Rows * Width * 4:N0}.";
        Assert.Equal(expected, Assert.Throws<DataException>(() => { _file.InputsOf(Short, 1); }).Message);
        Assert.Equal(expected, Assert.Throws<DataException>(() => _file.CopyTo([3, Short, 4], new float[3 * Width], new float[3])).Message);
    }

    [Fact]
    public void A_disk_that_is_full_when_rows_are_written_is_an_error_that_says_what_must_fit()
    {
        using var folder = TemporaryFolder.OnDisk();
        var writes = 0;
        using (FileOperations.Observe(folder.Path, (operation, _) =>
        {
            if (operation == "append" && ++writes == 2) throw new IOException("No space left on device.");
        }))
        {
            var error = Assert.Throws<StorageAwayException>(() => Samples(folder.Path).Dispose());
            Assert.StartsWith($"The table's inputs cannot be written to a file in {folder.Path}: No space left on device. ", error.Message);
            Assert.EndsWith(" bytes and more must fit there.", error.Message);
            Assert.DoesNotContain('\n', error.Message);
        }

        Assert.Equal(2, writes);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    /// <summary>Answers what it is asked.</summary>
    private sealed class Inputs : IPredictor
    {
        public int Width => InputFileTests.Width;

        public void Answer(ReadOnlySpan<float> inputs, Span<double> answers)
        {
            for (var i = 0; i < answers.Length; i++) answers[i] = inputs[i];
        }
    }

    /// <summary>Rows that a preprocessing changes, fewer than were announced, in memory or in a folder.</summary>
    private static Samples Samples(string? folder)
    {
        var parts = SampleMemory.Of(
            "rows", Width, Preprocessing.ScaledBy(3), [Rows + 7, 10], folder is null ? null : new InputFolder(folder, 1), available: long.MaxValue);
        using var rows = parts[0];
        parts[1].Dispose();
        var random = new Random(1);
        for (var row = 0; row < Rows; row++)
        {
            var inputs = rows.Add(row);
            // What is not written is zero.
            for (var i = 0; i < Width - 1; i++) inputs[i] = random.NextSingle() - 0.5f;
        }

        return rows.ToSamples();
    }
}
