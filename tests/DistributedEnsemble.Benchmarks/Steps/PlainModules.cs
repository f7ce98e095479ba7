using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Benchmarks.Steps;

/// <summary>The networks as TorchSharp's examples write them.</summary>
internal static class PlainModules
{
    /// <param name="widths">Inputs, hidden units, outputs.</param>
    public static Module<Tensor, Tensor> Mlp(double dropout, params long[] widths)
    {
        var layers = new List<Module<Tensor, Tensor>> { Flatten() };
        for (var i = 1; i < widths.Length; i++)
        {
            layers.Add(Linear(widths[i - 1], widths[i]));
            if (i == widths.Length - 1) break;
            layers.Add(ReLU());
            if (dropout > 0) layers.Add(Dropout(dropout));
        }

        return Sequential(layers);
    }

    /// <param name="size">Pixels on a side: below 16 they are padded to 16.</param>
    public static Module<Tensor, Tensor> LeNet(long size)
    {
        var padded = Math.Max(16, size);
        var side = (padded / 2 - 4) / 2;
        var layers = new List<Module<Tensor, Tensor>>
        {
            Conv2d(1, 6, 5, padding: 2), ReLU(), MaxPool2d(2), Conv2d(6, 16, 5), ReLU(), MaxPool2d(2),
            Flatten(), Linear(16 * side * side, 120), ReLU(), Linear(120, 84), ReLU(), Linear(84, 10),
        };
        if (padded > size) layers.Insert(0, ZeroPad2d((padded - size) / 2));
        return Sequential(layers);
    }

    /// <summary>Depth 8.</summary>
    public static Module<Tensor, Tensor> ResNet(long width) => Sequential(
        Conv2d(1, width, 3, padding: 1, bias: false), BatchNorm2d(width), ReLU(),
        new Block(width, width, 1), new Block(width, 2 * width, 2), new Block(2 * width, 4 * width, 2),
        AdaptiveAvgPool2d(1), Flatten(), Linear(4 * width, 10));

    private sealed class Block : Module<Tensor, Tensor>
    {
        private readonly Module<Tensor, Tensor> _residue;
        private readonly long _stride, _added;

        public Block(long channels, long filters, long stride) : base(nameof(Block))
        {
            (_stride, _added) = (stride, filters - channels);
            _residue = Sequential(
                Conv2d(channels, filters, 3, stride: stride, padding: 1, bias: false), BatchNorm2d(filters), ReLU(),
                Conv2d(filters, filters, 3, padding: 1, bias: false), BatchNorm2d(filters));
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            var shortcut = _stride > 1 ? input.slice(2, 0, input.size(2), _stride).slice(3, 0, input.size(3), _stride) : input;
            if (_added > 0) shortcut = functional.pad(shortcut, [0, 0, 0, 0, 0, _added]);
            return functional.relu(_residue.forward(input) + shortcut);
        }
    }
}
