using DistributedEnsemble.Training.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using TorchDropout = TorchSharp.Modules.Dropout;

namespace DistributedEnsemble.Training.Torch;

/// <summary>A module for one thread. Its nn.Dropout passes everything on, and masks of the pass's noise are put on what it gives.</summary>
internal sealed class OwnModule
{
    private readonly Module<Tensor, Tensor> _module;
    private readonly (TorchDropout Module, Func<Tensor, Noise, Tensor> Drop)[] _dropouts;
    private Noise _noise = Noise.None;

    public OwnModule(Module<Tensor, Tensor> module)
    {
        _module = module;
        Parameters = [.. module.named_parameters().Select(entry => (entry.name, (Tensor)entry.parameter))];
        Buffers = [.. module.named_buffers().Where(entry => entry.buffer.dtype == ScalarType.Float32).Select(entry => (entry.name, entry.buffer))];
        Dropouts = [.. module.named_modules().Where(entry => entry.module is TorchDropout).Select(entry => (entry.name, (TorchDropout)entry.module))];
        _dropouts = [.. Dropouts.Select(entry => (entry.Module, (Func<Tensor, Noise, Tensor>)((units, _) => units)))];
        for (var i = 0; i < Dropouts.Length; i++)
        {
            var place = i;
            Dropouts[i].Module.register_forward_hook((_, _, units) => _dropouts[place].Drop(units, _noise));
        }
    }

    public Module<Tensor, Tensor> Module => _module;

    public (string Name, Tensor Tensor)[] Parameters { get; }

    /// <summary>What is measured in training: those of float32.</summary>
    public (string Name, Tensor Tensor)[] Buffers { get; }

    public (string Name, TorchDropout Module)[] Dropouts { get; }

    /// <summary>Puts something in the place of a dropout.</summary>
    public void Replace(int dropout, Func<Tensor, Noise, Tensor> drop) => _dropouts[dropout].Drop = drop;

    public Tensor Forward(Tensor inputs, Noise noise)
    {
        _noise = noise;
        _module.train(noise.IsTraining);
        foreach (var (dropout, _) in _dropouts) dropout.eval();
        return _module.call(inputs);
    }
}
