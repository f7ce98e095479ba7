using System.Diagnostics;
using DistributedEnsemble.Randomness;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Randomness;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Torch;

/// <summary>What a module must keep to, tried on two rows before a run begins.</summary>
/// <param name="refused">Makes the error of a reason.</param>
internal sealed class ModuleTrial(OwnModule module, IReadOnlyList<long> inputShape, int outputs, Func<string, SpecException> refused)
{
    private const int Rows = 2;

    /// <summary>Passes that must give the same numbers; and those of which one must leave torch's generator alone, while others may draw of it.</summary>
    private const int Repeats = 6, MostRepeats = 100;

    /// <summary>Of a module whose passes take long: a repeat by each of the two modules.</summary>
    private const int FewestRepeats = 2;

    /// <summary>When passes have taken long.</summary>
    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(3);

    private static readonly Noise s_noise = new KeepEverything();

    /// <summary>Of the pass that goes on.</summary>
    private long _rows;

    /// <exception cref="SpecException">It cannot be trained.</exception>
    public void Require()
    {
        var given = new int[module.Dropouts.Length];
        for (var i = 0; i < given.Length; i++) Count(i);
        RequireFiniteBuffers("");
        using var random = RandomRows(Rows);
        var made = module.Parameters.Select(entry => entry.Tensor.detach().clone()).ToArray();
        _ = Try(zeros([Rows, .. inputShape]), "zeros", Noise.None);
        RequireRowsAlone(random);
        Array.Clear(given);
        _ = Try(random, "random numbers", s_noise);
        if (module.MadeLater is { } late) throw refused($"its module makes the {late} in a pass: a member's weights are those that its module is made with. Make all of them in its constructor");
        RequireFiniteBuffers(" after a pass of two rows");
        for (var i = 0; i < given.Length; i++)
        {
            if (given[i] == 1) continue;
            throw refused($"its module calls its dropout {module.Dropouts[i].Name} {given[i]} times in a pass: masks are drawn for each by its place. "
                + "Call it once, by call and not by forward");
        }

        for (var i = 0; i < made.Length; i++)
        {
            if (!made[i].contiguous().bytes.SequenceEqual(module.Parameters[i].Tensor.detach().contiguous().bytes))
                throw refused($"its module changes its parameter {module.Parameters[i].Name} in a pass: only the optimizer does");
        }

        RequireGradients(random);

        void Count(int dropout) => module.Replace(dropout, (units, _) =>
        {
            given[dropout]++;
            return units.size(0) == _rows ? units : throw refused(
                $"its module's dropout {module.Dropouts[dropout].Name} is given [{string.Join(", ", units.shape)}] for {Said(_rows)}: the rows must come first");
        });
    }

    /// <returns>Why a step cannot train on one row, as batch norm cannot; null if it can.</returns>
    public string? WhyNotOneRow()
    {
        using var row = RandomRows(1);
        try
        {
            _rows = 1;
            if (!module.Forward(row, s_noise).isfinite().all().item<bool>()) return "its module gives numbers that are not finite for one row in training";
        }
        catch (Exception exception)
        {
            return $"its module fails on one row in training: {FirstLine(exception)}";
        }

        return BufferNotFinite() is { } measured ? $"its module's buffer {measured} is not finite after one row in training" : null;
    }

    /// <param name="other">Of the same design; its parameters become the module's.</param>
    /// <returns>Why the module's bits are not decided by weights, rows and masks alone; null if they are as far as can be seen.</returns>
    public string? WhyInexact(OwnModule other)
    {
        if (module.Module.named_buffers().FirstOrDefault(entry => entry.buffer.dtype != ScalarType.Float32
            && !entry.name.EndsWith("num_batches_tracked", StringComparison.Ordinal)) is { name: { } name })
        {
            return $"its module's buffer {name} is not float32, and no checkpoint has it";
        }

        // Batch norm's statistics go on with each pass.
        var buffers = module.Buffers.Select(entry => entry.Tensor.clone()).ToArray();
        using var random = RandomRows(Rows);
        using (no_grad())
        {
            foreach (var (mine, theirs) in module.Parameters.Zip(other.Parameters)) theirs.Tensor.copy_(mine.Tensor);
        }

        var first = Pass(module);
        var (draws, clock) = (true, Stopwatch.StartNew());
        for (var i = 0; i < Wanted(); i++)
        {
            var again = Array.Empty<float>();
            draws &= TorchGenerator.IsMovedBy(() => again = Pass(i % 2 == 0 ? module : other));
            if (!first.SequenceEqual(again)) return "its module gives other numbers for the same weights, rows and masks: something in it draws or counts by itself";
        }

        return draws ? "its module draws numbers of torch's one generator: no checkpoint has where that is" : null;

        int Wanted() => (clock.Elapsed < s_long, draws) switch
        {
            (true, true) => MostRepeats,
            (false, false) => FewestRepeats,
            _ => Repeats,
        };

        float[] Pass(OwnModule own)
        {
            using var scope = NewDisposeScope();
            using (no_grad())
            {
                foreach (var (buffer, value) in own.Buffers.Zip(buffers)) buffer.Tensor.copy_(value);
            }

            foreach (var parameter in own.Module.parameters()) parameter.grad = null;
            var given = Forward(own, random, s_noise).contiguous();
            Backward(given);
            return [.. given.Floats(), .. own.Module.parameters().Where(parameter => parameter.grad is not null).SelectMany(parameter => parameter.grad!.contiguous().Floats().ToArray()),
                .. Forward(own, random, Noise.None).contiguous().Floats()];
        }
    }

    private Tensor Try(Tensor inputs, string kind, Noise noise)
    {
        var given = Forward(module, inputs, noise);
        if (given is null || given.IsInvalid) throw refused("its module gives no tensor, or one that it has disposed of");
        var rows = inputs.size(0);
        if (!given.shape.SequenceEqual([rows, outputs]))
            throw refused($"its module gives [{string.Join(", ", given.shape)}] for {Said(rows)}: it must give [{rows}, {outputs}]");
        if (given.dtype != ScalarType.Float32) throw refused($"its module gives numbers of {given.dtype}: it must give those of {ScalarType.Float32}");
        if (!given.isfinite().all().item<bool>()) throw refused($"its module gives numbers that are not finite for rows of {kind}");
        if (!noise.IsTraining) return given;
        if (!given.requires_grad) throw refused("its module gives numbers without a gradient in training: something in it detaches them, or computes without");
        Backward(given);
        if (module.Module.parameters().Any(parameter => parameter.grad is { } gradient && !gradient.isfinite().all().item<bool>()))
            throw refused($"its module has a gradient that is not finite for rows of {kind}");
        return given;
    }

    /// <summary>A pass adds to the gradients that are there: they are a part of the flat vector.</summary>
    private void RequireGradients(Tensor rows)
    {
        var gradients = module.Parameters.Select(entry => entry.Tensor.requires_grad ? zeros_like(entry.Tensor) : null).ToArray();
        for (var i = 0; i < gradients.Length; i++) module.Parameters[i].Tensor.grad = gradients[i];
        Backward(Forward(module, rows, s_noise));
        for (var i = 0; i < gradients.Length; i++)
        {
            var (name, tensor) = module.Parameters[i];
            if (gradients[i] is { } gradient && (tensor.grad is not { } now || !now.contiguous().bytes.SequenceEqual(gradient.contiguous().bytes)))
                throw refused($"its module lets go of the gradient of its parameter {name} in a pass: leave zero_grad to the step");
            tensor.grad = null;
        }
    }

    /// <summary>Predictions are asked for with any number of rows. One that draws by itself gives others anyway.</summary>
    private void RequireRowsAlone(Tensor rows)
    {
        var (together, alone, again) = (Try(rows, "random numbers", Noise.None), Try(rows.narrow(0, 0, 1), "random numbers", Noise.None), Try(rows, "random numbers", Noise.None));
        var (most, difference) = (together.abs().max().item<float>(), (alone - together.narrow(0, 0, 1)).abs().max().item<float>());
        if (difference > 1e-3f * most && together.contiguous().Floats().SequenceEqual(again.contiguous().Floats())) throw refused("its module predicts other numbers for a row alone than beside another: it mixes rows");
    }

    private Tensor Forward(OwnModule own, Tensor rows, Noise noise)
    {
        try
        {
            _rows = rows.size(0);
            // It may do with its rows what it likes.
            return own.Forward(rows.clone(), noise);
        }
        catch (Exception exception) when (exception is not SpecException)
        {
            throw refused($"its module fails on {Said(rows.size(0))} of [{string.Join(", ", inputShape)}]: {FirstLine(exception)}");
        }
    }

    private void Backward(Tensor given)
    {
        try
        {
            given.sum().backward();
        }
        catch (Exception exception)
        {
            throw refused($"the gradient of what its module gives fails: {FirstLine(exception)}");
        }
    }

    private void RequireFiniteBuffers(string when)
    {
        if (BufferNotFinite() is { } name)
            throw refused($"its module's buffer {name} is not finite{when}, and buffers are weights. Take -1e9 for an infinity in a mask, or make the mask in the pass");
    }

    private string? BufferNotFinite() => module.Buffers.FirstOrDefault(entry => !entry.Tensor.isfinite().all().item<bool>()).Name;

    private static string Said(long rows) => rows == 1 ? "one row" : "two rows";

    /// <summary>What an exception says, without its full stop.</summary>
    public static string FirstLine(Exception exception) =>
        exception.Message.Split('\n')[0].TrimEnd('.', '\r', ' ') is { Length: > 0 } said ? said : exception.GetType().Name;

    /// <summary>As inputs are: of mean 0 and deviation 1, and the same at any time.</summary>
    private Tensor RandomRows(int count)
    {
        var rows = empty([count, .. inputShape]);
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
