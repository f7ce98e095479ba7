using System.Runtime.InteropServices;
using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training;

/// <summary>Snapshots and checkpoints as files of a run's folder, named as the record names them.</summary>
public static class WeightFiles
{
    private const string OptimizerPrefix = "optimizer.";

    /// <summary>Writes a snapshot. A file that has these very weights stays; one with others is not overwritten.</summary>
    public static WeightFile SaveSnapshot(RunFolder folder, RunKey run, MemberAttempt by, int step, Weights weights)
    {
        var file = new WeightFile(by.Member, step, RunFolder.Snapshot(by.Member, step), weights.Sha256());
        if (!File.Exists(folder.Path(file.File))) return Save(folder, file, run, Tensors(weights));
        return IsIntact(folder, file)
            ? file
            : Save(folder, file with { File = RunFolder.Snapshot(by.Member, step, by.Attempt) }, run, Tensors(weights));
    }

    /// <summary>Writes weights that are only averaged; what such a file held before was averaged or never named.</summary>
    public static WeightFile SaveHandOver(RunFolder folder, RunKey run, MemberAttempt by, int step, Weights weights) =>
        Save(folder, new WeightFile(by.Member, step, RunFolder.HandOver(by.Member, step), ""), run, Tensors(weights));

    public static WeightFile SaveCheckpoint(RunFolder folder, RunKey run, MemberAttempt by, MemberCheckpoint checkpoint)
    {
        var file = new WeightFile(by.Member, checkpoint.Step, RunFolder.Checkpoint(by.Member, checkpoint.Step, by.Attempt), "");
        var state = checkpoint.Optimizer.Select(vector => new NamedTensor(OptimizerPrefix + vector.Name, [vector.Values.Length], vector.Values));
        return Save(folder, file, run, [.. Tensors(checkpoint.Weights), .. state]);
    }

    /// <exception cref="SafetensorsException">The file is missing, damaged, or not of this network.</exception>
    public static Weights LoadWeights(RunFolder folder, WeightFile file, WeightLayout layout)
    {
        using var reader = SafetensorsReader.Open(folder, file);
        return ReadWeights(reader, folder.Path(file.File), layout, others: 0);
    }

    /// <exception cref="SafetensorsException">The file is missing, damaged, or not of this run.</exception>
    public static MemberCheckpoint LoadCheckpoint(RunFolder folder, WeightFile file, TrainingPlan plan)
    {
        var path = folder.Path(file.File);
        using var reader = SafetensorsReader.Open(folder, file);
        var own = plan.Of(file.Member);
        var layout = own.Network.Layout;
        var names = Optimizer.StateNames(own.Spec.Training.Optimizer.Kind);
        var weights = ReadWeights(reader, path, layout, names.Count);
        var state = names.Select(name =>
        {
            var values = new NativeVector(layout.ParameterCount);
            Read(reader, path, OptimizerPrefix + name, [layout.ParameterCount], values.Span);
            return new OptimizerVector(name, values);
        });
        return new MemberCheckpoint(file.Step, weights, [.. state]);
    }

    private static Weights ReadWeights(SafetensorsReader reader, string path, WeightLayout layout, int others)
    {
        if (reader.Tensors.Count != layout.Tensors.Count + others)
        {
            throw new SafetensorsException(
                $"{path} holds {reader.Tensors.Count} tensors: this run's network has {layout.Tensors.Count + others}.");
        }

        var weights = new Weights(layout);
        try
        {
            foreach (var place in layout.Tensors) Read(reader, path, place.Name, place.Shape, weights.Values(place));
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    private static void Read(SafetensorsReader reader, string path, string name, IReadOnlyList<long> shape, Span<float> destination)
    {
        var entry = reader.Tensors.FirstOrDefault(tensor => tensor.Name == name);
        if (entry is null || entry.Type != ElementType.F32 || !entry.Shape.SequenceEqual(shape))
        {
            throw new SafetensorsException($"{path} has no float32 tensor {name} of shape [{string.Join(", ", shape)}].");
        }

        reader.Read(entry, MemoryMarshal.AsBytes(destination));
    }

    internal static WeightFile Save(RunFolder folder, WeightFile file, RunKey run, IReadOnlyList<NamedTensor> tensors)
    {
        var metadata = new Dictionary<string, string>
        {
            ["run"] = run.Name,
            ["member"] = $"{file.Member}",
            ["step"] = $"{file.Step}",
            ["spec"] = Sha256OfFile(folder, folder.Spec),
        };
        var sha256 = AtomicFile.Write(folder.Path(file.File), stream => SafetensorsWriter.Write(stream, tensors, metadata));
        return file with { Sha256 = sha256 };
    }

    private static bool IsIntact(RunFolder folder, WeightFile file)
    {
        try
        {
            using var reader = SafetensorsReader.Open(folder, file);
            return true;
        }
        catch (SafetensorsException)
        {
            return false;
        }
    }

    private static IReadOnlyList<NamedTensor> Tensors(Weights weights) =>
        [.. weights.Layout.Tensors.Select(place => new NamedTensor(
            place.Name, place.Shape, place.IsStatistic ? weights.Statistics : weights.Parameters, place.Offset))];

    private static string Sha256OfFile(RunFolder folder, string path)
    {
        using var stream = RegularFile.OpenRead(folder.Runs, path);
        return Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(stream));
    }
}
