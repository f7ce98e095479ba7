using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Training.Networks;

/// <summary>
/// LeNet-5 with relu and max-pooling (LeCun et al., 1998). Images smaller than 16×16, such as the 8×8 digits, are padded
/// with zeros to 16×16: the second convolution and pooling would be left with nothing. Spatial dropout comes after each pooling:
/// it drops the same channels there as before it, and has a quarter to multiply.
/// </summary>
public static class LeNet
{
    public const int SmallestImage = 16;

    public static IEnumerable<Layer> Design(IReadOnlyList<long> inputShape, int outputs, EnsembleSpec spec)
    {
        if (inputShape.Count != 3)
        {
            throw new SpecException(
                $"model.kind is lenet: it needs images, and \"{spec.Data.Dataset}\" has rows of {inputShape[0]} features. Choose mlp.");
        }

        return
        [
            new PadImage(SmallestImage),
            new Convolution(6, 5, Padding: 2), new Relu(), new MaxPool(), .. NetworkRegistry.ChannelDropout(spec),
            new Convolution(16, 5), new Relu(), new MaxPool(), .. NetworkRegistry.ChannelDropout(spec),
            new Flatten(),
            new Dense(120), new Relu(), .. NetworkRegistry.HiddenDropout(spec),
            new Dense(84), new Relu(), .. NetworkRegistry.HiddenDropout(spec),
            new Dense(outputs),
        ];
    }
}
