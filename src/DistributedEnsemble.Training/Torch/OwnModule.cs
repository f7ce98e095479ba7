using DistributedEnsemble.Training.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using TorchDropout = TorchSharp.Modules.Dropout;

namespace DistributedEnsemble.Training.Torch;

/// <summary>A module for one thread. Its nn.Dropout passes everything on, and masks of the pass's noise are put on what it gives.</summary>
internal sealed class OwnModule : IDisposable
{
    private readonly Module<Tensor, Tensor> _module;
    private readonly (TorchDropout Module, Func<Tensor, Noise, Tensor> Drop)[] _dropouts;
    private Noise _noise = Noise.None;

    public OwnModule(Module<Tensor, Tensor> module)
    {
        _module = module;
        (Parameters, Buffers) = (ParametersOf(module), BuffersOf(module));
        Dropouts = [.. module.named_modules().Where(entry => entry.module is TorchDropout).Select(entry => (entry.name, (TorchDropout)entry.module))];
        _dropouts = [.. Dropouts.Select(entry => (entry.Module, (Func<Tensor, Noise, Tensor>)((units, _) => units)))];
        for (var i = 0; i < Dropouts.Length; i++)
        {
            var place = i;
            Dropouts[i].Module.register_forward_hook((_, _, units) => _dropouts[place].Drop(units, _noise));
        }
    }

    public Module<Tensor, Tensor> Module => _module;

    /// <summary>One that has several places, as tied weights have, once: by its first.</summary>
    public (string Name, Tensor Tensor)[] Parameters { get; }

    /// <summary>What is measured in training: those of float32.</summary>
    public (string Name, Tensor Tensor)[] Buffers { get; }

    public (string Name, TorchDropout Module)[] Dropouts { get; }

    /// <summary>What it consists of, a line each: another module with the same lines can take its weights.</summary>
    public IEnumerable<string> Parts =>
        [
            .. Parameters.Select(entry => $"{entry.Name} [{string.Join(", ", entry.Tensor.shape)}]{(entry.Tensor.requires_grad ? "" : " without a gradient")}"),
            .. Buffers.Select(entry => $"buffer {entry.Name} [{string.Join(", ", entry.Tensor.shape)}]"),
            .. Dropouts.Select(entry => $"dropout {entry.Name} of {entry.Module.p}"),
        ];

    /// <summary>The first parameter or buffer of those that the module has now, and did not have when it was made; null if there is none.</summary>
    public string? MadeLater =>
        Other(ParametersOf(_module), Parameters) is { } parameter ? $"parameter {parameter}" : Other(BuffersOf(_module), Buffers) is { } buffer ? $"buffer {buffer}" : null;

    /// <summary>Puts something in the place of a dropout.</summary>
    public void Replace(int dropout, Func<Tensor, Noise, Tensor> drop) => _dropouts[dropout].Drop = drop;

    public Tensor Forward(Tensor inputs, Noise noise)
    {
        _noise = noise;
        _module.train(noise.IsTraining);
        foreach (var (dropout, _) in _dropouts) dropout.eval();
        return TorchGenerator.Use(() => _module.call(inputs));
    }

    /// <summary>Gives its parameters and buffers back at once.</summary>
    public void Dispose()
    {
        foreach (var (_, tensor) in Parameters.Concat(Buffers)) tensor.Dispose();
    }

    private static string? Other((string Name, Tensor Tensor)[] now, (string Name, Tensor Tensor)[] made) =>
        now.FirstOrDefault(entry => !made.Any(before => before.Name == entry.Name && ReferenceEquals(before.Tensor, entry.Tensor))).Name;

    private static (string Name, Tensor Tensor)[] ParametersOf(Module<Tensor, Tensor> module) =>
        [.. module.named_parameters().Select(entry => (entry.name, (Tensor)entry.parameter)).DistinctBy(entry => entry.Item2.Handle)];

    private static (string Name, Tensor Tensor)[] BuffersOf(Module<Tensor, Tensor> module) =>
        [.. module.named_buffers().Where(entry => entry.buffer.dtype == ScalarType.Float32).Select(entry => (entry.name, entry.buffer))];
}
