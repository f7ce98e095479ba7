using DistributedEnsemble.Randomness;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Regularization;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Networks;

/// <summary>
/// The flat gradient against central differences of the loss, (L(w + h·d) − L(w − h·d)) / 2h. Float32 carries too few digits
/// for single weights; along a whole direction the quotient keeps three. Directions are each tensor's own gradient, where
/// the derivative is the largest, and random ones, where it is right only if every component is.
/// </summary>
public sealed class GradientTests
{
    private const int Rows = 12, Classes = 4;
    private const float Step = 4e-3f;

    private static readonly Dictionary<string, (long[] Shape, Layer[] Layers)> Designs = new()
    {
        ["dense"] = ([6], [new Dense(5), new Dense(Classes)]),
        ["convolution"] = ([2, 5, 6], [new Convolution(3, 3, Padding: 1), new Convolution(2, 2), new Flatten(), new Dense(Classes)]),
        ["relu"] = ([6], [new Dense(16), new Relu(), new Dense(Classes)]),
        ["max-pool"] = ([1, 7, 6], [new Convolution(3, 2), new MaxPool(), new Flatten(), new Dense(Classes)]),
        ["pad"] = ([1, 4, 3], [new Convolution(2, 2), new PadImage(6), new Convolution(2, 3), new Flatten(), new Dense(Classes)]),
        ["flatten"] = ([2, 3, 3], [new Convolution(4, 2), new Flatten(), new Dense(Classes)]),
        ["inverted dropout"] = ([6], [new Dense(16), new Dropout(0.4, DropoutKind.Inverted), new Dense(Classes)]),
        ["vanilla dropout"] = ([6], [new Dropout(0.2, DropoutKind.Vanilla), new Dense(16), new Dropout(0.4, DropoutKind.Vanilla), new Dense(Classes)]),
        ["piecewise linear"] = ([6], [new Dense(4), new PiecewiseLinear([new(1, [-0.3f, 0.1f]), new(2, [-0.5f, -0.2f, 0, 0.2f])], 3), new Dense(Classes)]),
        ["submodels"] = ([6], [new Dense(5), new AdaptedDense(3, 7, AreSigns: true), new Relu(), new AdaptedDense(3, 6, AreSigns: false), new SeparateDense(Classes)]),
    };

    public static TheoryData<string, KernelKind> Names =>
        [.. Designs.Keys.SelectMany(name => Enum.GetValues<KernelKind>().Select(kernels => (name, kernels)))];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_gradient_of_a_layer_is_the_derivative_of_the_loss(string name, KernelKind kernels) =>
        Check(Designs[name].Shape, Designs[name].Layers, kernels, lambda: 0);

    [Theory]
    [InlineData(KernelKind.Own)]
    [InlineData(KernelKind.Libtorch)]
    public void The_gradient_with_the_l2_term_is_the_derivative_of_both(KernelKind kernels) =>
        Check([6], [new Dense(8), new Relu(), new Dense(Classes)], kernels, lambda: 0.3);

    [Fact]
    public void The_l2_term_adds_two_lambda_w_to_the_gradient_of_weights_and_nothing_to_that_of_biases()
    {
        var layout = new Network([3], [new Dense(2)]).Layout;
        using var weights = Weights.Initialize(layout, new RandomSource(1), 0);
        weights.Train();
        weights.Gradient!.Span.Fill(9);
        var l2 = new L2(0.25);

        l2.AddGradient(weights);

        var w = weights.Values(layout.Tensors[0]).ToArray();
        Assert.Equal([.. w.Select(value => (0.5f * value) + 9), 9, 9], weights.Gradient!.Span.ToArray());
        Assert.Equal(0.25 * w.Sum(value => (double)value * value), l2.Term(weights), 1e-12);
    }

    private static void Check(long[] shape, Layer[] layers, KernelKind kernels, double lambda)
    {
        var (network, random) = (new Network(shape, layers, kernels: kernels), new RandomSource(11));
        using var weights = Weights.Initialize(network.Layout, random, 0);
        using var function = network.CreateFunction(Rows, isTrained: true);
        var (noise, l2, task) = (new TrainingNoise(random, 0), new L2(lambda), new Classification(["a", "b", "c", "d"]));
        var submodels = network.Submodels;
        float[] targets = [.. Enumerable.Range(0, Rows * submodels).Select(row => (float)(row / submodels % Classes))], slopes = new float[targets.Length * Classes];
        double Loss()
        {
            // Anew each time: dropout of the inputs overwrites them.
            random.Uniform(new Draw(Purpose.DataSplit, 0, 0, 0), function.Inputs);
            return task.Loss(function.Forward(weights, Rows, noise.At(3)), targets, slopes) + l2.Term(weights);
        }

        weights.Train();
        Loss();
        function.Backward(weights, slopes);
        l2.AddGradient(weights);
        var gradient = weights.Gradient!.Span.ToArray();

        var start = weights.Parameters.Span.ToArray();
        foreach (var direction in Directions(network.Layout, gradient, random))
        {
            double At(float h)
            {
                var parameters = weights.Parameters.Span;
                for (var i = 0; i < start.Length; i++) parameters[i] = start[i] + (h * direction[i]);
                return Loss();
            }

            var derivative = gradient.Zip(direction, (g, d) => (double)g * d).Sum();
            var quotient = (At(Step) - At(-Step)) / (2 * Step);
            Assert.Equal(quotient, derivative, 1e-3 + (5e-3 * Math.Abs(quotient)));
        }
    }

    /// <summary>Unit vectors: along the gradient of each tensor, and five at random.</summary>
    private static IEnumerable<float[]> Directions(WeightLayout layout, float[] gradient, RandomSource random)
    {
        foreach (var place in layout.Tensors)
        {
            var direction = new float[gradient.Length];
            gradient.AsSpan(place.Offset, place.Length).CopyTo(direction.AsSpan(place.Offset));
            Assert.Contains(direction, component => component != 0);
            yield return Unit(direction);
        }

        for (uint i = 1; i <= 5; i++)
        {
            var direction = new float[gradient.Length];
            random.Uniform(new Draw(Purpose.DataSplit, 0, i, 0), direction);
            yield return Unit([.. direction.Select(component => component - 0.5f)]);
        }
    }

    private static float[] Unit(float[] vector)
    {
        var length = (float)Math.Sqrt(vector.Sum(component => (double)component * component));
        return [.. vector.Select(component => component / length)];
    }
}
