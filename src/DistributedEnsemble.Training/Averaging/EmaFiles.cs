using System.Runtime.InteropServices;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Safetensors;

namespace DistributedEnsemble.Training.Averaging;

/// <summary>EMA models as files: a hand-over is folded into the model before, and gives the next.</summary>
internal static class EmaFiles
{
    /// <param name="model">The EMA model before; null at the first hand-over.</param>
    /// <param name="handOver">Weights that the record names.</param>
    /// <param name="share">What <see cref="AveragingSchedule.ShareAt"/> says of their step.</param>
    /// <returns>The file of the next EMA model.</returns>
    /// <exception cref="SafetensorsException">A file is missing or damaged, or the two are not of one network.</exception>
    public static WeightFile Fold(RunFolder folder, RunKey run, WeightFile? model, WeightFile handOver, double share)
    {
        using var weights = Open(folder, handOver);
        // A share of 1 begins a new average: what was before does not count.
        using var before = model is null || share == 1 ? null : Open(folder, model);
        var tensors = weights.Tensors.Select((entry, i) => Fold(weights, entry, before, i, folder.Path(handOver.File), share)).ToList();
        return WeightFiles.Save(folder, new WeightFile(handOver.Member, handOver.Step, RunFolder.Ema(handOver.Member, handOver.Step), ""), run, tensors);
    }

    private static NamedTensor Fold(
        SafetensorsReader weights, TensorEntry entry, SafetensorsReader? before, int place, string file, double share)
    {
        var values = Read(weights, entry);
        if (before is not null)
        {
            var known = place < before.Tensors.Count ? before.Tensors[place] : null;
            if (known is null || known.Name != entry.Name || known.Type != ElementType.F32 || !known.Shape.SequenceEqual(entry.Shape))
            {
                throw new SafetensorsException($"{file} is not of the network of the EMA model: its tensor {entry.Name} is another one there.");
            }

            var average = Read(before, known);
            ExponentialMovingAverage.Fold(average, values, share);
            values = average;
        }

        return new NamedTensor(entry.Name, entry.Type, entry.Shape, sink => sink(MemoryMarshal.AsBytes(values.AsSpan())));
    }

    private static float[] Read(SafetensorsReader reader, TensorEntry entry)
    {
        var values = new float[entry.ByteCount / sizeof(float)];
        reader.Read(entry, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    private static SafetensorsReader Open(RunFolder folder, WeightFile file)
    {
        var reader = SafetensorsReader.Open(folder, file);
        if (reader.Tensors.All(entry => entry.Type == ElementType.F32)) return reader;
        reader.Dispose();
        throw new SafetensorsException($"{folder.Path(file.File)} is damaged: not all of its tensors are float32.");
    }
}
