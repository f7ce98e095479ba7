using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Safetensors;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Distillation;

/// <summary>
/// What a teacher says of each training row, and of further rows that it alone labels, as the task's students learn it: found once,
/// when a run begins, and kept in its folder under its hash.
/// </summary>
public sealed class SoftTargets
{
    private const string Tensor = "targets", FurtherTensor = "inputs", StartTensor = "start", File = "distillation/targets.safetensors";

    private readonly NativeVector _values;
    private readonly NativeVector? _further;

    private SoftTargets(NativeVector values, LearningTask task, long labelled, NativeVector? further, StartingWeights? start, string sha256)
    {
        (_values, _further, Width, Start, Sha256) = (values, further, task.SoftWidth, start, sha256);
        if (further is null) return;
        var rows = checked((int)((values.Length / Width) - labelled));
        Further = new Samples(further, [.. Enumerable.Range(0, rows).Select(row => task.Named(values.Slice((labelled + row) * Width, Width)))]);
    }

    /// <summary>Numbers of a row.</summary>
    public int Width { get; }

    /// <summary>Of all numbers.</summary>
    public string Sha256 { get; }

    /// <summary>The rows that the teacher alone labels, with what it would name of each; null without such rows.</summary>
    internal Samples? Further { get; }

    /// <summary>What students begin with; null if at random.</summary>
    internal StartingWeights? Start { get; }

    /// <param name="values">[rows, soft width].</param>
    /// <param name="labelled">How many of the rows are those of the data; the others follow.</param>
    /// <param name="further">[the others, width of the inputs].</param>
    internal static SoftTargets Of(NativeVector values, LearningTask task, long labelled, NativeVector? further, StartingWeights? start) =>
        new(values, task, labelled, further, start, SafetensorsWriter.Write(Stream.Null, Tensors(values, task.SoftWidth, labelled, further, start)));

    /// <summary>What a run learns: from its own folder, or of its teacher again.</summary>
    /// <param name="folder">The student's.</param>
    /// <param name="find">The path on this machine of the table of further rows that a spec names.</param>
    /// <exception cref="DataException">The run's folder has them no more, and the teacher or its further rows are missing or have changed.</exception>
    internal static SoftTargets Of(RunFolder folder, EnsembleSpec spec, Dataset dataset, NetworkRegistry networks, Func<string, string> find)
    {
        if (TryRead(folder, spec, dataset) is { } stored) return stored;
        try
        {
            var targets = Lesson.Of(folder.Storage, spec, dataset, networks, find).Targets;
            targets.TryWrite(folder);
            return targets;
        }
        catch (Exception exception) when (exception is SpecException or DataException)
        {
            throw new DataException($"{folder.Path(File)} is missing or damaged, and cannot be made again: {exception.Message}", exception);
        }
    }

    /// <summary>Of a training row, or, counted on behind these, of a further one.</summary>
    public ReadOnlySpan<float> this[int row] => _values.Slice((long)row * Width, Width);

    /// <summary>Keeps them in the folder of the run. What cannot be kept is found again.</summary>
    internal void TryWrite(RunFolder folder)
    {
        try
        {
            folder.Write(File, stream => SafetensorsWriter.Write(stream, Tensors(_values, Width, (_values.Length / Width) - (Further?.Count ?? 0), _further, Start)));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            // The teacher is there to be asked.
        }
    }

    private static SoftTargets? TryRead(RunFolder folder, EnsembleSpec spec, Dataset dataset)
    {
        var (task, train, sha256) = (dataset.Task.For(spec), dataset.Train, spec.Distillation!.Targets!);
        try
        {
            using var reader = SafetensorsReader.Open(folder, new WeightFile(0, 0, File, sha256));
            if (reader.Tensors is not [{ Type: ElementType.F32, Name: Tensor, Shape: [var rows, var width] } values, ..] || width != task.SoftWidth) return null;
            var start = reader.Tensors.FirstOrDefault(tensor => tensor is { Type: ElementType.F32, Name: StartTensor, Shape: [_, _] });
            var others = reader.Tensors.Skip(1).Where(tensor => tensor != start).ToArray();
            var isAlone = others is [] && rows == train.Count;
            if (!isAlone && !(others is [{ Type: ElementType.F32, Name: FurtherTensor } only] && only.Shape.SequenceEqual([rows - train.Count, train.Width]))) return null;
            return new SoftTargets(
                Read(reader, values), task, train.Count, isAlone ? null : Read(reader, others[0]), start is null ? null : new StartingWeights(Read(reader, start), (int)start.Shape[0]), sha256);
        }
        catch (SafetensorsException)
        {
            return null;
        }
    }

    private static NativeVector Read(SafetensorsReader reader, TensorEntry entry)
    {
        var values = new NativeVector(entry.Shape.Aggregate(1L, (product, size) => product * size));
        reader.Read(entry, values);
        return values;
    }

    private static NamedTensor[] Tensors(NativeVector values, int width, long labelled, NativeVector? further, StartingWeights? start)
    {
        var rows = values.Length / width;
        List<NamedTensor> tensors = [new NamedTensor(Tensor, [rows, width], values)];
        if (further is not null) tensors.Add(new NamedTensor(FurtherTensor, [rows - labelled, further.Length / (rows - labelled)], further));
        if (start is not null) tensors.Add(new NamedTensor(StartTensor, [start.Models, start.Values.Length / start.Models], start.Values));
        return [.. tensors];
    }
}
