using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training;

/// <summary>Zeros around images smaller than <paramref name="Size"/> on a side; others pass unchanged.</summary>
public sealed record PadImage(int Size) : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        var (height, width) = (builder.Shape[1], builder.Shape[2]);
        var (rows, columns) = (Math.Max(0, Size - height), Math.Max(0, Size - width));
        if (rows + columns == 0) return (_, inputs, _) => inputs;
        builder.Shape = [builder.Shape[0], height + rows, width + columns];
        long[] padding = [columns / 2, columns - columns / 2, rows / 2, rows - rows / 2];
        return (_, inputs, _) => functional.pad(inputs, padding);
    }
}
