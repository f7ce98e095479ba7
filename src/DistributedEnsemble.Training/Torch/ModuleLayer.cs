using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training;

/// <summary>Makes a network of one's own.</summary>
/// <param name="inputShape">One row's shape: [features] or [channels, height, width].</param>
/// <param name="outputs">Numbers that it gives for each row.</param>
/// <returns>A module from [rows, …input shape] to [rows, outputs]. Each thread that needs one asks for its own.</returns>
public delegate Module<Tensor, Tensor> ModuleDesign(IReadOnlyList<long> inputShape, int outputs, EnsembleSpec spec);

/// <summary>
/// A TorchSharp module as a network: its parameters and float buffers are a member's weights, in the order of named_parameters and
/// named_buffers. They start anew under the member's key: uniform in ±1/√fan_in, but what the module fills with one number keeps it.
/// </summary>
internal sealed record ModuleLayer(string Kind, ModuleDesign Design, int Outputs, EnsembleSpec Spec) : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        var inputShape = builder.Shape;
        using var scope = NewDisposeScope();
        using var sample = Create(inputShape);
        Check(sample, inputShape);
        int[] parameters = [.. Parameters(sample).Select(entry => (entry.Name, entry.Tensor, Start: StartOf(sample, entry.Tensor))).Select(
            entry => builder.Parameter(entry.Name, entry.Tensor.shape, entry.Start, isDecayed: entry.Tensor.dim() > 1))];
        int[] buffers = [.. Buffers(sample).Select(entry => builder.Statistic(entry.Name, entry.Tensor.shape, First(entry.Tensor)))];
        builder.Shape = [Outputs];
        var modules = new ThreadLocal<Module<Tensor, Tensor>>(() => Create(inputShape));
        return (weights, inputs, noise) => Forward(modules.Value!, weights, inputs, noise, parameters, buffers);
    }

    private static Tensor Forward(
        Module<Tensor, Tensor> module, Weights weights, Tensor inputs, Noise noise, int[] parameters, int[] buffers)
    {
        module.train(noise.IsTraining);
        var (ofParameters, ofBuffers) = (Parameters(module).ToList(), Buffers(module).ToList());
        using (no_grad())
        {
            for (var i = 0; i < parameters.Length; i++)
            {
                ofParameters[i].Tensor.copy_(weights[parameters[i]]);
                // Backward adds to the memory of the flat gradient.
                if (weights.Gradient is not null) ofParameters[i].Tensor.grad = weights[parameters[i]].grad;
            }

            for (var i = 0; i < buffers.Length; i++) ofBuffers[i].Tensor.copy_(weights[buffers[i]]);
        }

        var outputs = module.call(inputs);
        if (!noise.IsTraining) return outputs;
        using (no_grad())
        {
            for (var i = 0; i < buffers.Length; i++) weights[buffers[i]].copy_(ofBuffers[i].Tensor);
        }

        return outputs;
    }

    private Module<Tensor, Tensor> Create(IReadOnlyList<long> inputShape)
    {
        try
        {
            return Design(inputShape, Outputs, Spec);
        }
        catch (Exception exception) when (exception is not SpecException)
        {
            throw Refused($"its module cannot be made: {exception.Message.Split('\n')[0]}");
        }
    }

    private void Check(Module<Tensor, Tensor> module, IReadOnlyList<long> inputShape)
    {
        if (!module.parameters().Any()) throw Refused("its module has no parameters: there is nothing to train");
        if (module.parameters().Any(parameter => parameter.dtype != ScalarType.Float32)) throw Refused("its module has parameters that are not float32");
        if (module.modules().Append(module).FirstOrDefault(part => part.GetType().Name.Contains("Dropout", StringComparison.Ordinal)) is { } dropout)
        {
            throw Refused($"its module has {dropout.GetType().Name}, whose masks come from torch's one generator and can not be drawn again. Leave it out");
        }

        using var noGradient = no_grad();
        module.eval();
        Tensor outputs;
        try
        {
            outputs = module.call(zeros([2, .. inputShape]));
        }
        catch (Exception exception)
        {
            throw Refused($"its module fails on two rows of [{string.Join(", ", inputShape)}]: {exception.Message.Split('\n')[0]}");
        }

        if (!outputs.shape.SequenceEqual([2L, Outputs]))
            throw Refused($"its module gives [{string.Join(", ", outputs.shape)}] for two rows: it must give [2, {Outputs}]");
        if (!outputs.isfinite().all().item<bool>()) throw Refused("its module gives numbers that are not finite for rows of zeros");
    }

    private SpecException Refused(string reason) => new($"model.kind is \"{Kind}\": {reason}.");

    /// <summary>A vector that is not constant has the fan-in of the matrix before it, as biases do.</summary>
    private static Initialization StartOf(Module<Tensor, Tensor> module, Tensor parameter)
    {
        if (parameter.min().item<float>() == parameter.max().item<float>()) return Initialization.Value(First(parameter));
        var matrix = module.parameters().TakeWhile(other => other.Handle != parameter.Handle).Append(parameter).LastOrDefault(other => other.dim() > 1);
        return Initialization.FanIn(matrix is null ? parameter.numel() : matrix.numel() / matrix.shape[0]);
    }

    private static float First(Tensor tensor) => tensor.flatten()[0].item<float>();

    private static IEnumerable<(string Name, Tensor Tensor)> Parameters(Module<Tensor, Tensor> module) =>
        module.named_parameters().Select(entry => (entry.name, (Tensor)entry.parameter));

    private static IEnumerable<(string Name, Tensor Tensor)> Buffers(Module<Tensor, Tensor> module) =>
        module.named_buffers().Where(entry => entry.buffer.dtype == ScalarType.Float32).Select(entry => (entry.name, entry.buffer));
}
