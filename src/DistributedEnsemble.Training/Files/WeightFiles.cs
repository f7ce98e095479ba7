using System.Runtime.InteropServices;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Optimizers;
using DistributedEnsemble.Training.Safetensors;

namespace DistributedEnsemble.Training.Files;

/// <summary>Snapshots and checkpoints as files of a run's folder, named as the record names them.</summary>
internal static class WeightFiles
{
    private const string OptimizerPrefix = "optimizer.", BestPrefix = "best.", BestStep = "best.step", BestNll = "best.nll";

    /// <summary>Writes a snapshot. A file that has these very weights stays; one with others is not overwritten.</summary>
    public static WeightFile SaveSnapshot(RunFolder folder, RunKey run, MemberAttempt by, int step, Weights weights)
    {
        var file = new WeightFile(by.Member, step, RunFolder.Snapshot(by.Member, step), weights.Sha256());
        if (!folder.Exists(file.File)) return Save(folder, file, run, Tensors(weights));
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
        return Save(folder, file, run, [.. Tensors(checkpoint.Weights), .. state, .. Tensors(checkpoint.Best)]);
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
        var hasBest = own.Stopping is not null && reader.Tensors.Any(tensor => tensor.Name == BestStep);
        var weights = ReadWeights(reader, path, layout, names.Count + (hasBest ? layout.Tensors.Count + 2 : 0));
        var state = names.Select(name =>
        {
            var values = new NativeVector(layout.ParameterCount);
            Read(reader, path, OptimizerPrefix + name, [layout.ParameterCount], values.Span);
            return new OptimizerVector(name, values);
        });
        return new MemberCheckpoint(file.Step, weights, [.. state], hasBest ? ReadBest(reader, path, layout) : null);
    }

    private static BestModel ReadBest(SafetensorsReader reader, string path, WeightLayout layout) => new(
        (int)Read<long>(reader, path, BestStep, ElementType.I64), Read<double>(reader, path, BestNll, ElementType.F64),
        ReadTensors(reader, path, layout, BestPrefix));

    private static T Read<T>(SafetensorsReader reader, string path, string name, ElementType type) where T : unmanaged
    {
        var value = default(T);
        Read(reader, path, name, type, [1], MemoryMarshal.AsBytes(new Span<T>(ref value)));
        return value;
    }

    private static Weights ReadWeights(SafetensorsReader reader, string path, WeightLayout layout, int others)
    {
        if (reader.Tensors.Count != layout.Tensors.Count + others)
        {
            throw new SafetensorsException(
                $"{path} holds {reader.Tensors.Count} tensors: this run's network has {layout.Tensors.Count + others}.");
        }

        return ReadTensors(reader, path, layout, prefix: "");
    }

    private static Weights ReadTensors(SafetensorsReader reader, string path, WeightLayout layout, string prefix)
    {
        var weights = new Weights(layout);
        try
        {
            foreach (var place in layout.Tensors) Read(reader, path, prefix + place.Name, place.Shape, weights.Values(place));
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    private static void Read(SafetensorsReader reader, string path, string name, IReadOnlyList<long> shape, Span<float> destination) =>
        Read(reader, path, name, ElementType.F32, shape, MemoryMarshal.AsBytes(destination));

    private static void Read(
        SafetensorsReader reader, string path, string name, ElementType type, IReadOnlyList<long> shape, Span<byte> destination)
    {
        var entry = reader.Tensors.FirstOrDefault(tensor => tensor.Name == name);
        if (entry is null || entry.Type != type || !entry.Shape.SequenceEqual(shape))
        {
            throw new SafetensorsException($"{path} has no {type.Format()} tensor {name} of shape [{string.Join(", ", shape)}].");
        }

        reader.Read(entry, destination);
    }

    internal static WeightFile Save(RunFolder folder, WeightFile file, RunKey run, IReadOnlyList<NamedTensor> tensors)
    {
        var metadata = new Dictionary<string, string>
        {
            ["run"] = run.Name,
            ["member"] = $"{file.Member}",
            ["step"] = $"{file.Step}",
            ["spec"] = Sha256OfSpec(folder),
        };
        var sha256 = folder.Write(file.File, stream => SafetensorsWriter.Write(stream, tensors, metadata));
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

    /// <summary>Those of a best model, with its step and its measure; none without one.</summary>
    private static IEnumerable<NamedTensor> Tensors(BestModel? best) => best is null ? [] :
    [
        .. best.Weights.Layout.Tensors.Select(place => new NamedTensor(
            BestPrefix + place.Name, place.Shape, place.IsStatistic ? best.Weights.Statistics : best.Weights.Parameters, place.Offset)),
        Number(BestStep, ElementType.I64, (long)best.Step), Number(BestNll, ElementType.F64, best.Nll),
    ];

    private static NamedTensor Number<T>(string name, ElementType type, T value) where T : unmanaged =>
        new(name, type, [1], sink => sink(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(ref value))));

    private static string Sha256OfSpec(RunFolder folder)
    {
        using var stream = folder.OpenRead(RunFolder.SpecFile);
        return Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(stream));
    }
}
