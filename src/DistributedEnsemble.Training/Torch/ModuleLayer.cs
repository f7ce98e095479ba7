using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Regularization;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Torch;

/// <summary>
/// A TorchSharp module as a network: its parameters and float buffers are a member's weights, in the order of named_parameters and
/// named_buffers. Parameters start anew under the member's key: uniform in ±1/√fan_in, but what the module fills with one number keeps it.
/// So do buffers, and parameters that need no gradient, keep what every module is made with: pretrained layers, say, or the places of a sequence.
/// Its nn.Dropout gets the member's own masks.
/// </summary>
internal sealed record ModuleLayer(string Kind, ModuleDesign Design, int Outputs, SpecSettings? Settings) : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        var inputShape = builder.Shape;
        var (sample, other) = (Create(inputShape), Create(inputShape));
        using var scope = NewDisposeScope();
        using var gradients = enable_grad();
        var check = new ModuleCheck(Refused);
        check.Require(sample, other);
        // Before anything is computed: a pass counts and measures.
        string[] parts = [.. sample.Parts];
        int[] parameters = [.. sample.Parameters.Select((entry, i) => builder.Parameter(
            entry.Name, entry.Tensor.shape, StartOf(sample, other, i), isDecayed: entry.Tensor is { requires_grad: true } && entry.Tensor.dim() > 1))];
        int[] buffers = [.. sample.Buffers.Select(entry => builder.Statistic(entry.Name, entry.Tensor.shape, StartOf(entry.Tensor)))];
        var drawn = sample.Buffers.Where((entry, i) => !IsConstant(entry.Tensor) && !AreEqual(entry.Tensor, other.Buffers[i].Tensor)).Select(entry => entry.Name).FirstOrDefault();
        var trial = new ModuleTrial(sample, inputShape, Outputs, Refused);
        trial.Require();
        if ((trial.WhyInexact(other) ?? (drawn is null ? null : $"its module's buffer {drawn} is another in each module")) is { } reason) builder.Inexact = OfKind(reason);
        if (trial.WhyNotOneRow() is { } onOneRow) builder.NotOneRow = OfKind(onOneRow);
        builder.Shape = [Outputs];
        var dropouts = sample.Dropouts.Select(entry => entry.Module.p > 0
            ? new Dropout(entry.Module.p, DropoutKind.Inverted).Masks(builder.Dropout()) : (units, _) => units).ToArray();
        var modules = new ThreadLocal<OwnModule>(() =>
        {
            var module = Create(inputShape);
            check.RequireSame(parts, module);
            for (var i = 0; i < dropouts.Length; i++) module.Replace(i, dropouts[i]);
            return module;
        });
        sample.Dispose();
        other.Dispose();
        return (weights, inputs, noise) =>
        {
            if (noise.Samples > 0 && dropouts.Length > 0) inputs = Repeated(inputs, noise);
            return Forward(modules.Value!, weights, inputs, noise, parameters, buffers);
        };
    }

    private static Tensor Forward(OwnModule module, Weights weights, Tensor inputs, Noise noise, int[] parameters, int[] buffers)
    {
        using (no_grad())
        {
            for (var i = 0; i < parameters.Length; i++)
            {
                module.Parameters[i].Tensor.copy_(weights[parameters[i]]);
                // Backward adds to the memory of the flat gradient.
                if (weights.Gradient is not null) module.Parameters[i].Tensor.grad = weights[parameters[i]].grad;
            }

            for (var i = 0; i < buffers.Length; i++) module.Buffers[i].Tensor.copy_(weights[buffers[i]]);
        }

        // Another handle of the same numbers: a module may dispose of what it is given.
        var outputs = module.Forward(inputs.alias(), noise);
        if (!noise.IsTraining) return outputs;
        using (no_grad())
        {
            for (var i = 0; i < buffers.Length; i++) weights[buffers[i]].copy_(module.Buffers[i].Tensor);
        }

        return outputs;
    }

    /// <summary>The rows once for each sample, from the start: a module may add what comes before a dropout to what comes after it.</summary>
    private static Tensor Repeated(Tensor inputs, Noise noise)
    {
        var rows = noise.RowsOf((int)inputs.size(0));
        return inputs.size(0) == rows && noise.Samples > 1 ? cat(Enumerable.Repeat(inputs, noise.Samples).ToList()) : inputs;
    }

    /// <summary>Made on a thread of its own, whose scope is none: what the module holds, registered or not, stays when a pass is over.</summary>
    private OwnModule Create(IReadOnlyList<long> inputShape) =>
        Task.Factory.StartNew(() => Make(inputShape), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).GetAwaiter().GetResult();

    private OwnModule Make(IReadOnlyList<long> inputShape)
    {
        try
        {
            return Design(inputShape, Outputs, Settings?.ToJson() ?? []) is { } module ? new OwnModule(module) : throw Refused("its design gives no module");
        }
        catch (Exception exception) when (exception is not SpecException)
        {
            var hint = exception is NullReferenceException ? " (does it read of model.settings what the spec does not have?)" : "";
            throw Refused($"its module cannot be made: {ModuleTrial.FirstLine(exception)}{hint}");
        }
    }

    private SpecException Refused(string reason) => new($"{OfKind(reason)}.");

    private string OfKind(string reason) => $"model.kind is \"{Kind}\": {reason}";

    /// <summary>A vector that is not constant has the fan-in of the matrix before it, as biases do.</summary>
    private static Initialization StartOf(OwnModule module, OwnModule again, int place)
    {
        var parameter = module.Parameters[place].Tensor;
        if (IsConstant(parameter)) return Initialization.Value(First(parameter));
        if (!parameter.requires_grad && AreEqual(parameter, again.Parameters[place].Tensor)) return StartOf(parameter);
        var matrix = module.Parameters.Select(entry => entry.Tensor).TakeWhile(other => other.Handle != parameter.Handle).Append(parameter).LastOrDefault(other => other.dim() > 1);
        return Initialization.FanIn(matrix is null ? parameter.numel() : matrix.numel() / matrix.shape[0]);
    }

    /// <summary>What it is.</summary>
    private static Initialization StartOf(Tensor given) =>
        IsConstant(given) ? Initialization.Value(First(given)) : Initialization.Values(given.detach().contiguous().Floats().ToArray());

    private static bool IsConstant(Tensor tensor) => tensor.numel() == 0 || tensor.min().item<float>() == tensor.max().item<float>();

    private static bool AreEqual(Tensor one, Tensor other) => one.shape.SequenceEqual(other.shape) && one.detach().contiguous().bytes.SequenceEqual(other.detach().contiguous().bytes);

    private static float First(Tensor tensor) => tensor.numel() == 0 ? 0 : tensor.flatten()[0].item<float>();
}
