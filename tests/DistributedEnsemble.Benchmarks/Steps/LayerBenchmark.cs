using System.Diagnostics;
using DistributedEnsemble.Randomness;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Randomness;

namespace DistributedEnsemble.Benchmarks.Steps;

/// <summary>Where a step goes: microseconds of processor time of each layer of a network, forward and backward, on one thread.</summary>
internal sealed unsafe class LayerBenchmark(TrainingPlan plan, int rounds)
{
    private static readonly TimeSpan s_each = TimeSpan.FromMilliseconds(60);

    private readonly int _rows = plan.Spec.Training.BatchSize;

    public IReadOnlyList<LayerTime> Measure()
    {
        var network = plan.Of(0).Network;
        using var weights = Weights.Initialize(network.Layout, plan.Random, 0);
        weights.Train();
        using var memory = WorkingMemory.Of(1 << 25);
        var pass = new Pass(Team.Alone, memory)
        {
            Rows = _rows, Noise = new TrainingNoise(plan.Random, 0).At(1),
            Parameters = weights.Parameters.Start, Statistics = weights.Statistics.Start, Gradient = weights.Gradient!.Start,
        };
        var operations = Build(network, memory);
        var widest = Math.Max(network.InputWidth, operations.Max(operation => operation.Width)) * _rows;
        var inputs = memory.Take(_rows * network.InputWidth);
        var gradient = memory.Take(widest);
        var inputGradient = memory.Take(widest);
        plan.Dataset.Train.InputsOf(0, _rows).CopyTo(new Span<float>(inputs, _rows * (int)network.InputWidth));
        plan.Random.Uniform(new Draw(Purpose.Initialization, 0, 0, 0), new Span<float>(gradient, (int)widest));

        var (times, isTrained) = (new List<LayerTime>(), false);
        for (var i = 0; i < operations.Length; i++)
        {
            var operation = operations[i];
            var before = inputs;
            // Nobody asks for the gradient of what comes before the first weights.
            var ofInputs = operation.IsInPlace ? gradient : isTrained ? inputGradient : null;
            isTrained |= operation is ConvolutionOperation or DenseOperation;
            var forward = Least(() => operation.Forward(pass, before));
            inputs = operation.Outputs;
            times.Add(new LayerTime($"{network.Layers[i]}", operation.Width, forward, Least(() => operation.Backward(pass, before, gradient, ofInputs))));
        }

        return times;
    }

    private Operation[] Build(Network network, WorkingMemory memory)
    {
        var builder = new NetworkBuilder(network.InputShape);
        var operations = new Operation[network.Layers.Count];
        for (var i = 0; i < operations.Length; i++)
        {
            builder.Build(network.Layers[i]);
            operations[i] = builder.Operation!(new OperationPlace(memory, _rows, IsTrained: true, Before: i == 0 ? null : operations[i - 1]));
        }

        return operations;
    }

    /// <summary>Of a pass.</summary>
    private double Least(Action pass)
    {
        var least = double.PositiveInfinity;
        for (var round = 0; round <= rounds; round++)
        {
            var (count, clock, before) = (0, Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
            for (; clock.Elapsed < s_each; count += 8)
            {
                for (var i = 0; i < 8; i++) pass();
            }

            least = Math.Min(least, (Environment.CpuUsage.TotalTime - before).TotalMicroseconds / count);
        }

        return Math.Round(least, 1);
    }
}

/// <param name="Width">Numbers that it gives for a row.</param>
internal sealed record LayerTime(string Layer, int Width, double Forward, double Backward);
