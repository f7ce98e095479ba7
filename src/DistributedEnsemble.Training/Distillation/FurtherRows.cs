using System.Security.Cryptography;
using DistributedEnsemble.Files;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Randomness;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Training.Distillation;

/// <summary>Rows that the teacher alone labels: first those of a table without a target, then the validation rows, then mixtures of training rows.</summary>
/// <param name="Inputs">[rows, width of the inputs], preprocessed; null without such rows.</param>
/// <param name="Sha256">Of the table's bytes; null without one.</param>
/// <param name="Unlabelled">How many rows come from the table.</param>
/// <param name="Validation">Which of the data's rows those behind them are.</param>
internal sealed record FurtherRows(NativeVector? Inputs, string? Sha256, int? Unlabelled, int[] Validation)
{
    /// <param name="student">Whose training rows are mixed.</param>
    /// <param name="find">The path on this machine of the table that a spec names.</param>
    /// <exception cref="DataException">The table is missing, is not what the spec says, or has not the columns of the data.</exception>
    public static FurtherRows Of(EnsembleSpec student, Dataset dataset, Func<string, string> find)
    {
        var distillation = student.Distillation!;
        var (width, sha256, blocks, available) = (dataset.Train.Width, (string?)null, new List<float[]>(), TrainingMemory.Available());
        if (distillation.Unlabelled is { } name)
        {
            using var file = Open(find(name), name);
            sha256 = Convert.ToHexStringLower(SHA256.HashData(file));
            if (distillation.UnlabelledSha256 is { } expected && expected != sha256) throw new DataException(
                $"distillation.unlabelled is {OneLine.Quoted(name)}: its SHA-256 is {sha256}, and distillation.unlabelledSha256 is {expected} (bring the old file back, or begin a new student).");
            Read(file, NameOf(name), dataset, blocks, available);
        }

        var unlabelled = blocks.Sum(block => block.Length / width);
        var random = new RandomSource(student.Seed);
        var split = distillation is { Mixed: 0, Validation: false } ? null : ValidationSplit.Draw(dataset.Train, dataset.Task, student.Data.ValidationFraction, random);
        int[] rows = distillation.Mixed == 0 ? [] : split!.Training, validation = distillation.Validation ? split!.Validation : [];
        var count = CountOf(distillation, unlabelled, validation.Length, rows.Length);
        if (count == 0) return new FurtherRows(null, null, null, []);
        TrainingMemory.CheckData(count, width, available);
        var inputs = new NativeVector((long)count * width);
        var place = 0L;
        for (var i = 0; i < blocks.Count; i++)
        {
            var block = blocks[i];
            block.CopyTo(inputs.Slice(place, block.Length));
            place += block.Length;
            // The vector takes memory as it is filled: the rows are there once.
            blocks[i] = [];
        }

        float[] one = dataset.Train.RoomFor(1), other = dataset.Train.RoomFor(1);
        foreach (var row in validation)
        {
            dataset.Train.InputsOf(row, 1, one).CopyTo(inputs.Slice(place, width));
            place += width;
        }

        for (var i = 0; i < count - unlabelled - validation.Length; i++) Mix(dataset, rows, random, i, inputs.Slice(place + ((long)i * width), width), one, other);
        return new FurtherRows(inputs, sha256, sha256 is null ? null : unlabelled, validation);
    }

    /// <summary>How many rows a run has that its teacher alone labels.</summary>
    /// <exception cref="DataException">There are more than a run can have.</exception>
    public static int CountOf(DistillationSpec distillation, ValidationSplit split) =>
        CountOf(distillation, distillation.UnlabelledRows ?? 0, distillation.Validation ? split.Validation.Length : 0, split.TrainingCount);

    /// <inheritdoc cref="CountOf(DistillationSpec, ValidationSplit)"/>
    internal static int CountOf(DistillationSpec distillation, int unlabelled, int validation, int training)
    {
        var mixed = Math.Round(distillation.Mixed * training);
        // Those of the data come on top.
        if (mixed + unlabelled + validation + training <= int.MaxValue) return unlabelled + validation + (int)mixed;
        throw new DataException(
            $"distillation.mixed is {SpecValue.InWords(distillation.Mixed)}: that makes {mixed:N0} rows of {training:N0} training rows, and a run has at most {int.MaxValue:N0} (take fewer).");
    }

    /// <summary>λ·a + (1 − λ)·b, with λ uniform; what is no number is that of the nearer row.</summary>
    private static void Mix(Dataset dataset, int[] rows, RandomSource random, int index, Span<float> mixed, Span<float> one, Span<float> other)
    {
        Span<uint> words = stackalloc uint[5];
        random.Words(new Draw(Purpose.Mixing, 0, (uint)index, 0), words);
        ReadOnlySpan<float> a = dataset.Train.InputsOf(Chosen(words), 1, one), b = dataset.Train.InputsOf(Chosen(words[2..]), 1, other);
        var share = (words[4] >> 8) / (float)(1 << 24);
        for (var i = 0; i < mixed.Length; i++) mixed[i] = (share * a[i]) + ((1 - share) * b[i]);
        foreach (var level in dataset.Embedded) mixed[level.Place] = share < 0.5f ? b[level.Place] : a[level.Place];

        int Chosen(ReadOnlySpan<uint> draw) => rows[(int)Math.BigMul(((ulong)draw[1] << 32) | draw[0], (ulong)rows.Length, out _)];
    }

    private static void Read(FileStream file, string name, Dataset dataset, List<float[]> blocks, long available)
    {
        file.Position = 0;
        var numbers = 0L;
        using var table = PredictedTable.Open(file, name, DataDescription.Of(dataset, 0));
        foreach (var batch in table.Batches())
        {
            var block = batch.Inputs.ToArray();
            // Before more of a table is read than there is room for.
            TrainingMemory.CheckData((numbers += block.Length) / dataset.Train.Width, dataset.Train.Width, available);
            dataset.Preprocessing.Apply(block);
            blocks.Add(block);
        }

        if (blocks.Count == 0) throw new DataException($"{name} has no rows: distillation.unlabelled takes a table of at least one.");
    }

    private static FileStream Open(string path, string name)
    {
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"distillation.unlabelled is {OneLine.Quoted(NameOf(name))}, which cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>What people call the table.</summary>
    private static string NameOf(string name) => UploadedName.Parse(name)?.Name ?? name;
}
