using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Safetensors;

namespace DistributedEnsemble.Training.Distillation;

/// <summary>
/// What a teacher says of each training row, as the task's students learn it: found once, when a run begins, and kept in its folder
/// under its hash.
/// </summary>
public sealed class SoftTargets
{
    private const string Tensor = "targets", File = "distillation/targets.safetensors";

    private readonly NativeVector _values;

    private SoftTargets(NativeVector values, int width, string sha256) => (_values, Width, Sha256) = (values, width, sha256);

    /// <summary>Numbers of a row.</summary>
    public int Width { get; }

    /// <summary>Of all numbers.</summary>
    public string Sha256 { get; }

    /// <param name="values">[rows, width].</param>
    public static SoftTargets Of(NativeVector values, int width) => new(values, width, SafetensorsWriter.Write(Stream.Null, [Named(values, width)]));

    /// <summary>What a run learns: from its own folder, or of its teacher again.</summary>
    /// <param name="folder">The student's.</param>
    /// <exception cref="DataException">The run's folder has them no more, and the teacher is missing or has changed.</exception>
    internal static SoftTargets Of(RunFolder folder, EnsembleSpec spec, Dataset dataset, NetworkRegistry networks)
    {
        var distillation = spec.Distillation!;
        if (TryRead(folder, spec, dataset) is { } stored) return stored;
        Teacher teacher;
        try
        {
            teacher = Teacher.Open(folder.Storage, spec, dataset, networks);
        }
        catch (SpecException exception)
        {
            throw new DataException($"{folder.Path(File)} is missing or damaged, and cannot be made again: {exception.Message}", exception);
        }

        teacher.RequireUnchanged(distillation);
        var targets = teacher.Teach(distillation);
        targets.TryWrite(folder);
        return targets;
    }

    /// <summary>Of a training row.</summary>
    public ReadOnlySpan<float> this[int row] => _values.Slice((long)row * Width, Width);

    /// <summary>Keeps them in the folder of the run. What cannot be kept is found again.</summary>
    internal void TryWrite(RunFolder folder)
    {
        try
        {
            folder.Write(File, stream => SafetensorsWriter.Write(stream, [Named(_values, Width)]));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            // The teacher is there to be asked.
        }
    }

    private static SoftTargets? TryRead(RunFolder folder, EnsembleSpec spec, Dataset dataset)
    {
        var width = dataset.Task.For(spec).SoftWidth;
        try
        {
            using var reader = SafetensorsReader.Open(folder, new WeightFile(0, 0, File, spec.Distillation!.Targets!));
            if (reader.Tensors is not [{ Type: ElementType.F32, Name: Tensor } entry] || !entry.Shape.SequenceEqual([dataset.Train.Count, width])) return null;
            var values = new NativeVector(dataset.Train.Count * width);
            reader.Read(entry, values);
            return new SoftTargets(values, width, spec.Distillation.Targets!);
        }
        catch (SafetensorsException)
        {
            return null;
        }
    }

    private static NamedTensor Named(NativeVector values, int width) => new(Tensor, [values.Length / width, width], values);
}
