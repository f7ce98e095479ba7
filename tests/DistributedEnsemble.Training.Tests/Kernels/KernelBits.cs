using System.Runtime.InteropServices;
using System.Security.Cryptography;
using DistributedEnsemble.Randomness;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Optimizers;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Regularization;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Kernels;

/// <summary>The bits of all kernels on this machine: simple ones beside their reference, others as a name and a hash that processes compare.</summary>
internal static class KernelBits
{
    private const int Calls = 300;

    /// <summary>Numbers that arithmetic treats apart, among inputs.</summary>
    private static readonly float[] s_special = [0, -0f, float.Epsilon, -1e-40f, 1e-30f, 3e38f, -3e38f, float.PositiveInfinity, float.NegativeInfinity, float.NaN];

    /// <returns>A line each.</returns>
    public static IEnumerable<string> All()
    {
        foreach (var (_, law) in SimpleKernels.Laws)
        {
            var random = new Random(1);
            for (var i = 0; i < Calls; i++) law(random);
        }

        MatrixProductTests.CheckAny(new Random(3), Calls);
        return [.. Networks(), .. Losses(), .. Updates(), Functions(), Masks()];
    }

    private static IEnumerable<string> Networks() =>
        from design in Designs.All
        from spoilt in (bool[])[false, true]
        select Line(spoilt ? $"{design.Key}, special numbers" : design.Key, OfNetwork(new Network(design.Value.Shape, design.Value.Layers), spoilt));

    private static IEnumerable<float[]> OfNetwork(Network network, bool isSpoilt)
    {
        foreach (var rows in (int[])[1, 3, 7, 17, 24])
        {
            var (outputs, gradient, statistics) = Designs.Step(network, rows, isSpoilt ? inputs => Spoil(network, inputs) : null);
            yield return outputs;
            yield return gradient;
            yield return statistics;
        }
    }

    private static void Spoil(Network network, float[] inputs)
    {
        var levels = network.Layers.OfType<Embedding>().SelectMany(layer => layer.Inputs).Select(input => input.Place).ToHashSet();
        for (var i = 0; i < inputs.Length; i += 5)
        {
            if (!levels.Contains(i % (int)network.InputWidth)) inputs[i] = s_special[i / 5 % s_special.Length];
        }
    }

    private static IEnumerable<string> Losses()
    {
        float[] numbers = Numbers(64 * 5), spoilt = [.. numbers];
        for (var i = 0; i < spoilt.Length; i += 7) spoilt[i] = s_special[i / 7 % s_special.Length];
        var classes = new Classification(["a", "b", "c", "d", "e"]);
        var regression = Regression.Of([1, 2, 4]);
        foreach (var (name, outputs) in new[] { ("", numbers), (", special numbers", spoilt) })
        {
            foreach (var rows in (int[])[1, 19, 64])
            {
                yield return Line($"cross-entropy of {rows}{name}", OfLoss(classes, outputs.AsSpan(0, rows * 5), [.. Enumerable.Range(0, rows).Select(row => (float)(row % 5))]));
                yield return Line($"Gaussian likelihood of {rows}{name}", OfLoss(regression, outputs.AsSpan(0, rows * 2), numbers.AsSpan(9, rows)));
            }
        }
    }

    private static float[][] OfLoss(LearningTask task, ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets)
    {
        var gradient = new float[outputs.Length];
        return [[(float)task.Loss(outputs, targets, gradient)], gradient];
    }

    private static IEnumerable<string> Updates()
    {
        var layout = new Network([13], [new Dense(11), new Relu(), new Dense(3)]).Layout;
        var random = new RandomSource(7);
        foreach (var (name, optimizer) in new (string, Optimizer)[]
        {
            ("sgd", new StochasticGradientDescent(layout, 0.9, 0)), ("sgd with decay", new StochasticGradientDescent(layout, 0.9, 0.01)),
            ("adam", new Adam(layout, 0.9, 0.999, 1e-8, 0)), ("adamw", new Adam(layout, 0.9, 0.999, 1e-8, 0.01)),
        })
        {
            using (optimizer)
            using (var weights = Weights.Initialize(layout, random, 0))
            {
                weights.Train();
                for (var step = 1; step <= 20; step++)
                {
                    var gradient = weights.Gradient!.Span;
                    random.Uniform(new Draw(Purpose.DataSplit, 0, (uint)step, 0), gradient);
                    foreach (ref var slope in gradient) slope = (slope - 0.5f) * (step == 5 ? 1e-38f : step == 9 ? 1e15f : 1);
                    new L2(1e-3).AddGradient(weights);
                    optimizer.Update(weights, step, 0.01);
                }

                yield return Line(name, [weights.Parameters.Span.ToArray(), .. optimizer.State.Select(vector => vector.Values.Span.ToArray())]);
            }
        }
    }

    private static string Functions()
    {
        float[] x = [.. s_special, .. Numbers(997).Select((number, i) => number * (i % 9 == 0 ? 300 : 9))], y = new float[x.Length], z = new float[x.Length], u = new float[x.Length];
        Elementary.Exp(x, y);
        Elementary.Log(x, z);
        Elementary.Softplus(x, u);
        return Line("exp, log and softplus", [y, z, u]);
    }

    private static string Masks()
    {
        var mask = new float[1003];
        new RandomSource(3).KeepMask(new Draw(Purpose.DataSplit, 1, 2, 3), 0.3, 1.25f, mask);
        int[] order = [.. Enumerable.Range(0, 1003)];
        new RandomSource(3).Shuffle(new Draw(Purpose.DataSplit, 1, 2, 4), order);
        return Line("masks and orders", [mask, [.. order.Select(place => (float)place)]]);
    }

    private static float[] Numbers(int length)
    {
        var numbers = new float[length];
        new RandomSource(5).Uniform(new Draw(Purpose.DataSplit, 0, 0, 0), numbers);
        return [.. numbers.Select(number => 4 * number - 2)];
    }

    private static string Line(string name, IEnumerable<float[]> values)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in values) hash.AppendData(MemoryMarshal.AsBytes<int>(Floats.Bits(part)));
        return $"{name}: {Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }
}
