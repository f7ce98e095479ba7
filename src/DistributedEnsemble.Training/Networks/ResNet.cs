using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Training.Networks;

/// <summary>
/// The residual network for small images (He et al., "Deep residual learning", 2016, section 4.2): a 3×3 convolution, three
/// stages of n basic blocks with w, 2w and 4w channels, of which the second and third halve the image, the mean of each
/// channel, and dense: 6n+2 layers with weights. Convolutions have no bias and start as He et al. (2015) say; dropout comes
/// before the last layer alone, behind every batch norm, whose running variance it would belie (Li et al., 2019); spatial dropout
/// comes between the two convolutions of each block besides, as Zagoruyko and Komodakis (2016) have it.
/// </summary>
public static class ResNet
{
    /// <summary>Smaller images are padded with zeros: the last stage keeps 2×2, so that a batch of one row has a variance.</summary>
    public const int SmallestImage = 8;

    public static IEnumerable<Layer> Design(IReadOnlyList<long> inputShape, int outputs, EnsembleSpec spec)
    {
        if (inputShape.Count != 3)
        {
            throw new SpecException(
                $"model.kind is resnet: it needs images, and \"{spec.Data.Dataset}\" has rows of {inputShape[0]} features. Choose mlp.");
        }

        var blocks = (spec.Model.Depth!.Value - 2) / 6;
        var width = spec.Model.Width!.Value;
        return
        [
            new PadImage(SmallestImage),
            Convolution(width, stride: 1), new BatchNorm(), new Relu(),
            .. Stage(spec, width, blocks, stride: 1), .. Stage(spec, 2 * width, blocks, stride: 2), .. Stage(spec, 4 * width, blocks, stride: 2),
            new ChannelMean(), .. NetworkRegistry.HiddenDropout(spec),
            new Dense(outputs),
        ];
    }

    private static IEnumerable<Layer> Stage(EnsembleSpec spec, int channels, int blocks, int stride) =>
        Enumerable.Range(0, blocks).Select(block => new Residual(channels, block == 0 ? stride : 1, NetworkRegistry.ChannelDropout(spec).FirstOrDefault()));

    internal static Convolution Convolution(int channels, int stride) =>
        new(channels, 3, Padding: 1, stride, HasBias: false) { Start = Initialization.He };
}
