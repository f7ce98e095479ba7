using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Optimizers;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Regularization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Optimizers;

/// <summary>
/// Against the papers' recursions in double precision, and against PyTorch's own optimizers, over steps whose learning rate
/// changes. 35 parameters: whole vectors and a rest on every machine.
/// </summary>
public sealed class OptimizerTests : IDisposable
{
    private const int Steps = 25;
    private const double Lambda = 0.05;

    private readonly WeightLayout _layout = new Network([6], [new Dense(5)]).Layout;
    private readonly Weights _weights;
    private readonly float[] _start;

    public OptimizerTests()
    {
        _weights = Weights.Initialize(_layout, new RandomSource(5), 0);
        _weights.Train();
        _start = _weights.Parameters.ToArray();
    }

    [Theory]
    [InlineData(0.0, 0.0)]
    [InlineData(0.9, 0.0)]
    [InlineData(0.9, 0.1)]
    public void Sgd_is_its_recursion(double momentum, double weightDecay)
    {
        var spec = new OptimizerSpec { Kind = OptimizerKind.Sgd, Momentum = momentum };
        var v = new double[_start.Length];

        CheckRecursion(spec, weightDecay, (i, g, t) => v[i] = (momentum * v[i]) + g);
    }

    [Theory]
    [InlineData(OptimizerKind.Adam, 0.9, 0.999, 1e-8, 0.0)]
    [InlineData(OptimizerKind.Adam, 0.5, 0.9, 1e-3, 0.0)]
    [InlineData(OptimizerKind.AdamW, 0.9, 0.999, 1e-8, 0.1)]
    public void Adam_is_its_recursion(OptimizerKind kind, double beta1, double beta2, double epsilon, double weightDecay)
    {
        var spec = new OptimizerSpec { Kind = kind, Beta1 = beta1, Beta2 = beta2, Epsilon = epsilon };
        var (m, s) = (new double[_start.Length], new double[_start.Length]);

        CheckRecursion(spec, weightDecay, (i, g, t) =>
        {
            m[i] = (beta1 * m[i]) + ((1 - beta1) * g);
            s[i] = (beta2 * s[i]) + ((1 - beta2) * g * g);
            return m[i] / (1 - Math.Pow(beta1, t)) / (Math.Sqrt(s[i] / (1 - Math.Pow(beta2, t))) + epsilon);
        });
    }

    [Theory]
    [InlineData(OptimizerKind.Sgd)]
    [InlineData(OptimizerKind.Adam)]
    public void The_l2_term_is_pytorchs_coupled_weight_decay_of_two_lambda(OptimizerKind kind)
    {
        var spec = new OptimizerSpec { Kind = kind };
        Train(spec, weightDecay: 0, new L2(Lambda));

        CheckAgainstTorch((parameter, isWeight) => kind == OptimizerKind.Sgd
            ? optim.SGD([parameter], Rate(1), momentum: spec.Momentum, weight_decay: isWeight ? 2 * Lambda : 0)
            : optim.Adam([parameter], Rate(1), spec.Beta1, spec.Beta2, spec.Epsilon, weight_decay: isWeight ? 2 * Lambda : 0));
    }

    [Fact]
    public void Decoupled_weight_decay_is_pytorchs_adamw_on_weights_and_spares_biases()
    {
        var spec = new OptimizerSpec { Kind = OptimizerKind.AdamW };
        Train(spec, weightDecay: 0.2, new L2(0));

        CheckAgainstTorch((parameter, isWeight) =>
            optim.AdamW([parameter], Rate(1), spec.Beta1, spec.Beta2, spec.Epsilon, weight_decay: isWeight ? 0.2 : 0));
    }

    [Theory]
    [InlineData(OptimizerKind.Sgd, new[] { "velocity" })]
    [InlineData(OptimizerKind.Adam, new[] { "firstMoment", "secondMoment" })]
    [InlineData(OptimizerKind.AdamW, new[] { "firstMoment", "secondMoment" })]
    public void The_state_starts_at_zero_under_its_names(OptimizerKind kind, string[] names)
    {
        using var optimizer = Optimizer.Create(new TrainingSpec { Optimizer = new OptimizerSpec { Kind = kind } }, 0, _layout);

        Assert.Equal(names, optimizer.State.Select(vector => vector.Name));
        Assert.All(optimizer.State, vector => Assert.Equal(new float[35], vector.Values.ToArray()));
    }

    public void Dispose() => _weights.Dispose();

    private static double Rate(int step) => 0.1 / step;

    /// <summary>A number of its own for each parameter and step, of both signs and several magnitudes.</summary>
    private static float DataGradient(int i, int step) => (float)(Math.Sin((i * 1.7) + (step * 0.9)) * Math.Pow(10, (i % 4) - 2));

    private void Train(OptimizerSpec spec, double weightDecay, L2 l2)
    {
        using var optimizer = Optimizer.Create(new TrainingSpec { Optimizer = spec }, weightDecay, _layout);
        for (var step = 1; step <= Steps; step++)
        {
            var gradient = _weights.Gradient!.Span;
            for (var i = 0; i < gradient.Length; i++) gradient[i] = DataGradient(i, step);
            l2.AddGradient(_weights);
            optimizer.Update(_weights, step, Rate(step));
        }
    }

    private void CheckRecursion(OptimizerSpec spec, double weightDecay, Func<int, double, int, double> direction)
    {
        Train(spec, weightDecay, new L2(0));

        var w = _start.Select(value => (double)value).ToArray();
        for (var step = 1; step <= Steps; step++)
        {
            for (var i = 0; i < w.Length; i++)
            {
                var isWeight = i < 30;
                if (isWeight) w[i] -= Rate(step) * weightDecay * w[i];
                w[i] -= Rate(step) * direction(i, DataGradient(i, step), step);
            }
        }

        var trained = _weights.Parameters.ToArray();
        for (var i = 0; i < w.Length; i++) Assert.Equal(w[i], trained[i], 1e-6 + (1e-5 * Math.Abs(w[i])));
    }

    private void CheckAgainstTorch(Func<Parameter, bool, optim.Optimizer> create)
    {
        foreach (var place in _layout.Tensors)
        {
            using var scope = NewDisposeScope();
            var parameter = new Parameter(tensor(_start[place.Offset..(place.Offset + place.Length)]));
            using var optimizer = create(parameter, place.IsDecayed);
            for (var step = 1; step <= Steps; step++)
            {
                foreach (var group in optimizer.ParamGroups) group.LearningRate = Rate(step);
                parameter.grad = tensor(Enumerable.Range(place.Offset, place.Length).Select(i => DataGradient(i, step)).ToArray());
                optimizer.step();
            }

            var (expected, trained) = (parameter.detach().data<float>().ToArray(), _weights.Values(place).ToArray());
            Assert.All(expected.Zip(trained), pair => Assert.Equal(pair.First, pair.Second, 1e-6f + (1e-5f * Math.Abs(pair.First))));
        }
    }
}
