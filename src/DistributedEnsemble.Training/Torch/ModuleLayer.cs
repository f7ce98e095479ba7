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
        using var scope = NewDisposeScope();
        using var gradients = enable_grad();
        // What is tried counts and measures: another gives the start.
        var (tried, sample) = (Create(inputShape), Create(inputShape));
        var check = new ModuleCheck(inputShape, Outputs, () => Create(inputShape), Refused);
        check.Require(tried);
        if (check.WhyInexact(tried) is { } reason) builder.Inexact = $"model.kind is \"{Kind}\": {reason}";
        var other = new Lazy<OwnModule>(() => Create(inputShape));
        int[] parameters = [.. sample.Parameters.Select((entry, i) => builder.Parameter(
            entry.Name, entry.Tensor.shape, StartOf(sample, i, other), isDecayed: entry.Tensor is { requires_grad: true } && entry.Tensor.dim() > 1))];
        int[] buffers = [.. sample.Buffers.Select((entry, i) => builder.Statistic(entry.Name, entry.Tensor.shape, StartOf(entry.Tensor)))];
        if (sample.Buffers.Where((entry, i) => !IsConstant(entry.Tensor) && !AreEqual(entry.Tensor, other.Value.Buffers[i].Tensor)).Select(entry => entry.Name).FirstOrDefault() is { } drawn)
            builder.Inexact ??= $"model.kind is \"{Kind}\": its module's buffer {drawn} is another in each module";
        builder.Shape = [Outputs];
        var dropouts = sample.Dropouts.Select(entry => entry.Module.p > 0
            ? new Dropout(entry.Module.p, DropoutKind.Inverted).Masks(builder.Dropout()) : (units, _) => units).ToArray();
        var modules = new ThreadLocal<OwnModule>(() => CreateWith(inputShape, dropouts));
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

        var outputs = module.Forward(inputs, noise);
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
    private OwnModule CreateWith(IReadOnlyList<long> inputShape, Func<Tensor, Noise, Tensor>[] dropouts)
    {
        var module = Task.Factory.StartNew(() => Create(inputShape), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).GetAwaiter().GetResult();
        for (var i = 0; i < dropouts.Length; i++) module.Replace(i, dropouts[i]);
        return module;
    }

    private OwnModule Create(IReadOnlyList<long> inputShape)
    {
        try
        {
            return new OwnModule(Design(inputShape, Outputs, Settings?.ToJson() ?? []));
        }
        catch (Exception exception) when (exception is not SpecException)
        {
            throw Refused($"its module cannot be made: {exception.Message.Split('\n')[0].TrimEnd('.')}");
        }
    }

    private SpecException Refused(string reason) => new($"model.kind is \"{Kind}\": {reason}.");

    /// <summary>A vector that is not constant has the fan-in of the matrix before it, as biases do.</summary>
    private static Initialization StartOf(OwnModule module, int place, Lazy<OwnModule> other)
    {
        var parameter = module.Parameters[place].Tensor;
        if (IsConstant(parameter)) return Initialization.Value(First(parameter));
        if (!parameter.requires_grad && AreEqual(parameter, other.Value.Parameters[place].Tensor)) return StartOf(parameter);
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
