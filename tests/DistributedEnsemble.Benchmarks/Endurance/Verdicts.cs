using System.Runtime.InteropServices;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Benchmarks.Endurance;

/// <summary>What came of a request.</summary>
internal enum Verdict
{
    /// <summary>The average of all members.</summary>
    Whole,

    /// <summary>The average of those members that the answer lists, and not of all.</summary>
    Partial,

    /// <summary>Something else than an average of the run's members.</summary>
    Wrong,

    /// <summary>A status and one line that says why there is no answer.</summary>
    Refused,

    /// <summary>No answer and no error in time.</summary>
    Lost,
}

/// <summary>The members' answers to some rows, computed in this process from the run's files, and what answers of a server are beside them.</summary>
internal sealed class Verdicts
{
    /// <summary>A row's bits depend on its batch; members differ by far more.</summary>
    private const float Tolerance = 1e-5f;

    private readonly float[][][] _members;

    private Verdicts(float[][] rows, float[][][] members) => (Rows, _members) = (rows, members);

    /// <summary>Raw rows of the test split.</summary>
    public IReadOnlyList<float[]> Rows { get; }

    public static Verdicts Of(string runsFolder, string run, int count, string? data)
    {
        var folder = new RunFolder(runsFolder, run);
        var model = RunModel.Of(new RunDefinition(File.ReadAllText(folder.Spec), File.ReadAllText(folder.Data)), new NetworkRegistry());
        var test = Preloaded.FashionMnist(data).Dataset.Test;
        float[][] rows = [.. Enumerable.Range(0, count).Select(i => test.InputsOf(i, 1).ToArray().Select(pixel => pixel * 255).ToArray())];
        using var prepared = model.Prepare([.. rows.Select(row => ImmutableCollectionsMarshal.AsImmutableArray(row))]);
        float[][] members = [.. RunStatusFile.Read(folder)!.Snapshots.OrderBy(file => file.Member).Select(file =>
        {
            using var weights = WeightFiles.LoadWeights(folder, file, model.Networks.Of(file.Member).Layout);
            return model.Task.Predict(prepared.Predict(weights, file.Member, monteCarloSamples: 0, CancellationToken.None))[0].Numbers.ToArray();
        })];
        var classes = model.Data.Task.Outputs;
        return new Verdicts(rows, [.. rows.Select((_, row) => members.Select(all => all[(row * classes)..((row + 1) * classes)]).ToArray())]);
    }

    /// <param name="mean">[classes].</param>
    /// <param name="answered">[members, classes] of those that the mean is said to be of.</param>
    public Verdict Check(int row, ReadOnlySpan<float> mean, ReadOnlySpan<float> answered)
    {
        var expected = new float[mean.Length];
        var (next, count) = (0, answered.Length / mean.Length);
        for (var i = 0; i < count; i++)
        {
            var one = answered.Slice(i * mean.Length, mean.Length);
            while (next < _members[row].Length && !AreClose(one, _members[row][next])) next++;
            if (next == _members[row].Length) return Verdict.Wrong;
            for (var c = 0; c < expected.Length; c++) expected[c] += _members[row][next][c] / count;
            next++;
        }

        return count == 0 || !AreClose(mean, expected) ? Verdict.Wrong : count == _members[row].Length ? Verdict.Whole : Verdict.Partial;
    }

    private static bool AreClose(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
    {
        for (var i = 0; i < one.Length; i++) if (!(Math.Abs(one[i] - other[i]) < Tolerance)) return false;
        return true;
    }
}
