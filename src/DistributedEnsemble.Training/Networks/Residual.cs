using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Regularization;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training.Networks;

/// <summary>
/// A basic block: relu(F(x) + x), F two 3×3 convolutions with batch norm. Where F halves the image or adds channels, x is
/// every second pixel, with channels of zeros after its own: option A of He et al. (2016), which has no weights.
/// </summary>
/// <param name="Between">Dropout between the two convolutions; null for none.</param>
public sealed record Residual(int Channels, int Stride, Dropout? Between = null) : Layer
{
    /// <summary>F.</summary>
    internal IReadOnlyList<Layer> Residue =>
    [
        ResNet.Convolution(Channels, Stride), new BatchNorm(), new Relu(), .. (Between is null ? (Layer[])[] : [Between]),
        ResNet.Convolution(Channels, stride: 1), new BatchNorm(),
    ];

    public override Function Build(NetworkBuilder builder)
    {
        var shape = builder.Shape;
        var added = Channels - builder.Shape[0];
        var residue = builder.Chain(Residue);
        var (from, given, built) = (shape, builder.Shape, builder.Operation);
        builder.Operation = built is null ? null : place => new ResidualOperation(from, given, Stride, built, place);
        return (weights, inputs, noise) =>
        {
            var (sum, shortcut) = (residue(weights, inputs, noise), Shortcut(inputs));
            // Samples of Monte-Carlo dropout that begin in F are of the same x.
            var samples = sum.size(0) / shortcut.size(0);
            return functional.relu(sum.add_(samples > 1 ? shortcut.repeat([samples, 1, 1, 1]) : shortcut));
        };

        Tensor Shortcut(Tensor inputs)
        {
            if (Stride > 1) inputs = inputs.slice(2, 0, inputs.shape[2], Stride).slice(3, 0, inputs.shape[3], Stride);
            return added > 0 ? functional.pad(inputs, [0, 0, 0, 0, 0, added]) : inputs;
        }
    }
}

/// <summary>relu(F(x) + x), in the memory of F's outputs.</summary>
internal sealed unsafe class ResidualOperation : Operation
{
    private readonly int _channels, _height, _width, _stride, _inputWidth;
    private readonly Operation _residue;

    public ResidualOperation(IReadOnlyList<long> shape, IReadOnlyList<long> given, int stride, OperationBuilder residue, OperationPlace place)
        : base((int)(given[0] * given[1] * given[2]))
    {
        (_channels, _height, _width, _stride) = ((int)shape[0], (int)shape[1], (int)shape[2], stride);
        _inputWidth = _channels * _height * _width;
        _residue = residue(place);
    }

    public override void Forward(Pass pass, float* inputs)
    {
        var rows = pass.Rows;
        _residue.Forward(pass, inputs);
        Outputs = _residue.Outputs;
        // Samples of Monte-Carlo dropout that begin in F are of the same x.
        for (nint row = 0; row < pass.Rows; row++) AddShortcut(inputs + row % rows * _inputWidth, Outputs + row * Width);
        Elementwise.Rectify(Outputs, (nint)pass.Rows * Width);
    }

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
        Elementwise.MaskByPositive(gradient, Outputs, (nint)pass.Rows * Width);
        _residue.Backward(pass, inputs, gradient, inputGradient);
        if (inputGradient == null) return;
        for (nint row = 0; row < pass.Rows; row++) AddSlopes(gradient + row * Width, inputGradient + row * _inputWidth);
    }

    private void AddShortcut(float* image, float* sum)
    {
        if (_stride == 1)
        {
            Elementwise.Add(sum, image, _inputWidth);
            return;
        }

        for (var row = 0; row < _channels * _height; row++, image += _width)
        {
            if (row % _height % _stride != 0) continue;
            for (var column = 0; column < _width; column += _stride) *sum++ += image[column];
        }
    }

    private void AddSlopes(float* slopes, float* image)
    {
        if (_stride == 1)
        {
            Elementwise.Add(image, slopes, _inputWidth);
            return;
        }

        for (var row = 0; row < _channels * _height; row++, image += _width)
        {
            if (row % _height % _stride != 0) continue;
            for (var column = 0; column < _width; column += _stride) image[column] += *slopes++;
        }
    }
}
