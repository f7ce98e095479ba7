using DistributedEnsemble.Randomness;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Regularization;

namespace DistributedEnsemble.Training.Tests.Kernels;

/// <summary>Small networks that together have every layer, and a step of each.</summary>
internal static class Designs
{
    public const int Rows = 24, Outputs = 4;

    public static readonly IReadOnlyDictionary<string, (long[] Shape, Layer[] Layers)> All = new Dictionary<string, (long[] Shape, Layer[] Layers)>
    {
        ["dense"] = ([6], [new Dense(5), new Dense(Outputs)]),
        ["wide dense"] = ([40], [new Dense(75), new Relu(), new Dense(64), new Dense(Outputs)]),
        ["relu"] = ([6], [new Relu(), new Dense(16), new Relu(), new Dense(Outputs)]),
        ["flatten"] = ([2, 3, 3], [new Flatten(), new Dense(Outputs)]),
        ["convolution"] = ([2, 5, 6], [new Convolution(3, 3, Padding: 1), new Relu(), new Convolution(2, 2), new Flatten(), new Dense(Outputs)]),
        ["strided convolution"] = ([2, 9, 8], [new Convolution(5, 3, Padding: 1, Stride: 2, HasBias: false), new Convolution(3, 2, Stride: 2), new Flatten(), new Dense(Outputs)]),
        ["large convolution"] = ([1, 28, 28], [new Convolution(6, 5, Padding: 2), new Relu(), new MaxPool(), new Convolution(16, 5), new Flatten(), new Dense(Outputs)]),
        ["convolution behind a border"] = ([2, 5, 3], [new PadImage(12), new Convolution(5, 5, Padding: 2), new Relu(), new MaxPool(), new Convolution(18, 3, Padding: 1, Stride: 2), new Flatten(), new Dense(Outputs)]),
        ["many filters"] = ([3, 6, 4], [new Convolution(37, 3, Padding: 1), new Convolution(17, 3), new Flatten(), new Dense(Outputs)]),
        ["max-pool"] = ([2, 7, 6], [new Convolution(3, 2), new MaxPool(), new Flatten(), new Dense(Outputs)]),
        ["pad"] = ([1, 4, 3], [new PadImage(6), new Convolution(2, 3), new PadImage(9), new Flatten(), new Dense(Outputs)]),
        ["channel mean"] = ([3, 5, 5], [new Convolution(4, 2), new ChannelMean(), new Dense(Outputs)]),
        ["batch norm"] = ([3, 5, 5], [new Convolution(4, 2), new BatchNorm(), new Relu(), new Flatten(), new Dense(7), new BatchNorm(), new Dense(Outputs)]),
        ["residual"] = ([3, 5, 4], [new Residual(3, 1), new Residual(8, 2), new ChannelMean(), new Dense(Outputs)]),
        ["embedding"] = ([4], [new Embedding([new EmbeddedInput(1, 5, 3), new EmbeddedInput(2, 20, 6)]), new Dense(7), new Relu(), new Dense(Outputs)]),
        ["piecewise linear"] = ([5], [new Dense(6), new PiecewiseLinear([new(1, [-0.4f, 0.4f]), new(2, [-0.5f, -0.3f, 0, 0.1f, 0.4f]), new(5, [-0.1f, 0, 0.3f])], 3), new Dense(Outputs)]),
        ["piecewise linear behind an embedding"] = ([4], [new Embedding([new(1, 5, 3)]), new PiecewiseLinear([new(0, [-0.9f, 0, 0.6f])], 4), new Dense(Outputs)]),
        ["submodels"] = ([6], [new Dense(9), new Relu(), new AdaptedDense(3, 13, AreSigns: true), new Relu(), new AdaptedDense(3, 8, AreSigns: true), new SeparateDense(Outputs)]),
        ["many submodels"] = ([6], [new AdaptedDense(32, 20, AreSigns: true), new Relu(), new Dropout(0.3, DropoutKind.Inverted), new AdaptedDense(32, 11, AreSigns: false), new SeparateDense(Outputs)]),
        ["chosen inputs"] = ([6], [new SelectInputs([1, 2, 5]), new Dense(7), new SelectInputs([0, 3, 4, 6]), new Dense(Outputs)]),
        ["inverted dropout"] = ([6], [new Dense(16), new Dropout(0.4, DropoutKind.Inverted), new Dense(Outputs)]),
        ["spatial dropout"] = ([2, 6, 6], [new Convolution(5, 3), new Relu(), new MaxPool(), new Dropout(0.4, DropoutKind.Inverted, IsSpatial: true), new Convolution(3, 2), new Flatten(), new Dense(Outputs)]),
        ["spatial vanilla dropout"] = ([3, 4, 5], [new Dropout(0.3, DropoutKind.Vanilla, IsSpatial: true), new Flatten(), new Dense(8), new Dropout(0.3, DropoutKind.Vanilla, IsSpatial: true), new Dense(Outputs)]),
        ["residual with dropout"] = ([3, 5, 4], [new Residual(3, 1, new Dropout(0.4, DropoutKind.Inverted, IsSpatial: true)), new Residual(8, 2, new Dropout(0.4, DropoutKind.Vanilla, IsSpatial: true)), new ChannelMean(), new Dense(Outputs)]),
        ["vanilla dropout"] = ([6], [new Dropout(0.2, DropoutKind.Vanilla), new Dense(16), new Relu(), new Dropout(0.4, DropoutKind.Vanilla), new Dense(Outputs)]),
    };

    /// <param name="isMasked">Whether dropout drops anything: it need not, to go backward.</param>
    public static (float[] Outputs, float[] Gradient, float[] Statistics) Step(Network network, int rows, Action<float[]>? spoil = null, bool isMasked = true)
    {
        var random = new RandomSource(11);
        using var weights = Weights.Initialize(network.Layout, random, 0);
        weights.Train();
        // Whatever is there: a pass sets the gradient, and adds nothing to it.
        weights.Gradient!.Span.Fill(float.NaN);
        using var function = network.CreateFunction(Rows, isTrained: true);
        var inputs = InputsOf(network);
        spoil?.Invoke(inputs);
        inputs.AsSpan(0, rows * (int)network.InputWidth).CopyTo(function.Inputs);
        var outputs = function.Forward(weights, rows, isMasked ? new TrainingNoise(random, 0).At(3) : Noise.None).ToArray();
        var gradient = new float[outputs.Length];
        random.Uniform(new Draw(Purpose.DataSplit, 0, 1, 0), gradient);
        function.Backward(weights, gradient);
        return (outputs, weights.Gradient!.Span.ToArray(), weights.Statistics.Span.ToArray());
    }

    public static float[] Predict(Network network, Weights weights, ReadOnlySpan<float> inputs, Noise noise)
    {
        using var function = network.CreateFunction(Rows * Math.Max(1, noise.Samples), isTrained: false);
        inputs.CopyTo(function.Inputs);
        return function.Forward(weights, inputs.Length / (int)network.InputWidth, noise).ToArray();
    }

    public static float[] InputsOf(Network network)
    {
        var inputs = new float[Rows * network.InputWidth];
        new RandomSource(5).Uniform(new Draw(Purpose.DataSplit, 0, 0, 0), inputs);
        var embedded = network.Layers.OfType<Embedding>().SelectMany(layer => layer.Inputs).ToDictionary(input => input.Place);
        for (var i = 0; i < inputs.Length; i++)
        {
            inputs[i] = embedded.TryGetValue(i % (int)network.InputWidth, out var input) ? (int)(inputs[i] * input.Levels) : (2 * inputs[i]) - 1;
        }

        return inputs;
    }
}
