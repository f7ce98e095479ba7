using DistributedEnsemble.Randomness;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Randomness;
using static TorchSharp.torch;
using TorchDropout = TorchSharp.Modules.Dropout;

namespace DistributedEnsemble.Training.Torch;

/// <summary>What a module must keep to, tried on two rows before a run begins.</summary>
/// <param name="refused">Makes the error of a reason.</param>
internal sealed class ModuleCheck(IReadOnlyList<long> inputShape, int outputs, Func<OwnModule> create, Func<string, SpecException> refused)
{
    private const int Rows = 2;

    private static readonly Noise s_noise = new KeepEverything();

    /// <exception cref="SpecException">It cannot be trained.</exception>
    public void Require(OwnModule module)
    {
        if (module.Parameters.Length == 0) throw refused("its module has no parameters: there is nothing to train");
        if (module.Parameters.Any(parameter => parameter.Tensor.dtype != ScalarType.Float32)) throw refused("its module has parameters that are not float32");
        RequireDropouts(module);
        var given = new int[module.Dropouts.Length];
        for (var i = 0; i < given.Length; i++) Count(i);
        using var random = RandomRows();
        Try(module, zeros([Rows, .. inputShape]), "zeros", Noise.None);
        Try(module, random, "random numbers", Noise.None);
        Array.Clear(given);
        Try(module, random, "random numbers", s_noise);
        if (module.MadeLater is { } late) throw refused($"its module makes the {late} in a pass: a member's weights are those that its module is made with. Make all of them in its constructor");
        for (var i = 0; i < given.Length; i++)
        {
            if (given[i] == 1) continue;
            throw refused($"its module calls its dropout {module.Dropouts[i].Name} {given[i]} times in a pass: masks are drawn for each by its place. "
                + "Call it once, by call and not by forward");
        }

        void Count(int dropout) => module.Replace(dropout, (units, _) =>
        {
            given[dropout]++;
            return units.size(0) == Rows ? units : throw refused(
                $"its module's dropout {module.Dropouts[dropout].Name} is given [{string.Join(", ", units.shape)}] for {Rows} rows: the rows must come first");
        });
    }

    /// <returns>Why the module's bits are not decided by weights, rows and masks alone; null if they are as far as can be seen.</returns>
    public string? WhyInexact(OwnModule module)
    {
        if (module.Module.named_buffers().FirstOrDefault(entry => entry.buffer.dtype != ScalarType.Float32
            && !entry.name.EndsWith("num_batches_tracked", StringComparison.Ordinal)) is { name: { } name })
        {
            return $"its module's buffer {name} is not float32, and no checkpoint has it";
        }

        var other = create();
        // Batch norm's statistics go on with each pass.
        var buffers = module.Buffers.Select(entry => entry.Tensor.clone()).ToArray();
        using var random = RandomRows();
        using (no_grad())
        {
            foreach (var (mine, theirs) in module.Parameters.Zip(other.Parameters)) theirs.Tensor.copy_(mine.Tensor);
        }

        var (first, again, elsewhere) = (Pass(module), Pass(module), Pass(other));
        return first.SequenceEqual(again) && first.SequenceEqual(elsewhere) ? null
            : "its module gives other numbers for the same weights, rows and masks: something in it draws or counts by itself";

        float[] Pass(OwnModule own)
        {
            using (no_grad())
            {
                foreach (var (buffer, value) in own.Buffers.Zip(buffers)) buffer.Tensor.copy_(value);
            }

            foreach (var parameter in own.Module.parameters()) parameter.grad = null;
            var given = own.Forward(random.clone(), s_noise).contiguous();
            given.sum().backward();
            return [.. given.Floats(), .. own.Module.parameters().Where(parameter => parameter.grad is not null).SelectMany(parameter => parameter.grad!.contiguous().Floats().ToArray()),
                .. own.Forward(random.clone(), Noise.None).contiguous().Floats()];
        }
    }

    private void RequireDropouts(OwnModule module)
    {
        foreach (var part in module.Module.modules().Append(module.Module))
        {
            if (part is TorchDropout || !part.GetType().Name.Contains("Dropout", StringComparison.Ordinal) || part.parameters().Any()) continue;
            throw refused($"its module has {part.GetType().Name}, whose masks come from torch's one generator and can not be drawn again. Take nn.Dropout, or leave it out");
        }

        if (module.Dropouts.FirstOrDefault(entry => entry.Module.p >= 1) is { Name: { } all })
            throw refused($"its module's dropout {all} drops everything: its p must be below 1");
    }

    private void Try(OwnModule module, Tensor inputs, string kind, Noise noise)
    {
        Tensor given;
        try
        {
            // It may do with its rows what it likes.
            given = module.Forward(inputs.clone(), noise);
            if (noise.IsTraining) given.sum().backward();
        }
        catch (Exception exception) when (exception is not SpecException)
        {
            throw refused($"its module fails on two rows of [{string.Join(", ", inputShape)}]: {exception.Message.Split('\n')[0].TrimEnd('.')}");
        }

        if (!given.shape.SequenceEqual([Rows, outputs]))
            throw refused($"its module gives [{string.Join(", ", given.shape)}] for two rows: it must give [2, {outputs}]");
        if (given.dtype != ScalarType.Float32) throw refused($"its module gives numbers of {given.dtype}: it must give those of {ScalarType.Float32}");
        if (!given.isfinite().all().item<bool>()) throw refused($"its module gives numbers that are not finite for rows of {kind}");
        if (noise.IsTraining && module.Module.parameters().Any(parameter => parameter.grad is { } gradient && !gradient.isfinite().all().item<bool>()))
            throw refused($"its module has a gradient that is not finite for rows of {kind}");
    }

    /// <summary>As inputs are: of mean 0 and deviation 1, and the same at any time.</summary>
    private Tensor RandomRows()
    {
        var rows = empty([Rows, .. inputShape]);
        new RandomSource(1).Uniform(new Draw(Purpose.Initialization, 0, 0, 0), rows.Floats());
        foreach (ref var value in rows.Floats()) value = (2 * value - 1) * MathF.Sqrt(3);
        return rows;
    }

    private sealed class KeepEverything : Noise
    {
        public override bool IsTraining => true;

        public override void Mask(int dropout, int sample, double rate, float kept, Span<float> mask) => mask.Fill(1);
    }
}
