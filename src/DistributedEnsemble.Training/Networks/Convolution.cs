using DistributedEnsemble.Training.Kernels;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training;

/// <summary>A square convolution; weight [filters, channels, size, size].</summary>
/// <param name="HasBias">Without it a batch norm that follows has the bias.</param>
public sealed record Convolution(int Filters, int Size, int Padding = 0, int Stride = 1, bool HasBias = true) : Layer
{
    /// <summary>How the weights start, given the fan-in.</summary>
    internal Func<long, Initialization> Start { get; init; } = Initialization.FanIn;

    public override Function Build(NetworkBuilder builder)
    {
        var (channels, height, width) = (builder.Shape[0], builder.Shape[1], builder.Shape[2]);
        var fanIn = channels * Size * Size;
        var weight = builder.Parameter("weight", [Filters, channels, Size, Size], Start(fanIn), isDecayed: true);
        int? bias = HasBias ? builder.Parameter("bias", [Filters], Initialization.FanIn(fanIn), isDecayed: false) : null;
        builder.Shape = [Filters, (height + 2 * Padding - Size) / Stride + 1, (width + 2 * Padding - Size) / Stride + 1];
        var patches = new Patches((int)channels, (int)height, (int)width, Size, Padding, Stride);
        var (weightOffset, biasOffset) = (builder.Offset(weight), bias is { } tensor ? builder.Offset(tensor) : -1);
        builder.Operation = place => new ConvolutionOperation(patches, Filters, (int)(channels * height * width), weightOffset, biasOffset, place);
        long[] padding = [Padding, Padding], strides = [Stride, Stride];
        return (weights, inputs, _) => functional.conv2d(inputs, weights[weight], bias is { } place ? weights[place] : null, strides, padding);
    }
}

/// <summary>
/// Products with the patches of a few images at a time, as many as make them worthwhile. Each output is one chain in the order of
/// a patch, from the bias; each gradient of a weight one in the order of rows and pixels.
/// </summary>
internal sealed unsafe class ConvolutionOperation : Operation, IRectifying
{
    /// <summary>Pixels of the outputs that go together, unless one image has more.</summary>
    private const int Together = 256;

    private readonly Patches _patches;
    private readonly int _filters, _image, _weight, _bias, _group;

    /// <summary>An image with its border; patches of a group; outputs of a group, or their gradient.</summary>
    private readonly float* _padded, _matrix, _grouped;

    /// <summary>The gradients of an image with its border, and of the weights, [depth, filters].</summary>
    private readonly float* _ofPadded, _ofWeights;

    /// <param name="image">Numbers of an image that comes in.</param>
    /// <param name="bias">Negative if there is none.</param>
    public ConvolutionOperation(Patches patches, int filters, int image, int weight, int bias, OperationPlace place) : base(filters * patches.Pixels)
    {
        (_patches, _filters, _image, _weight, _bias) = (patches, filters, image, weight, bias);
        _group = Math.Clamp(Together / patches.Pixels, 1, place.Rows);
        Outputs = place.Memory.Take((long)place.Rows * Width);
        _padded = place.Memory.Take(patches.PaddedLength);
        _matrix = place.Memory.Take((long)patches.Depth * Stride(_group));
        _grouped = place.Memory.Take((long)Width * _group);
        if (!place.IsTrained) return;
        _ofPadded = place.Memory.Take(patches.PaddedLength);
        _ofWeights = place.Memory.Take((long)patches.Depth * filters);
    }

    public bool IsRectified { get; set; }

    public override void Forward(Pass pass, float* inputs)
    {
        var start = _bias < 0 ? ProductStart.Zero : ProductStart.BiasOfRows;
        for (var row = 0; row < pass.Rows; row += _group)
        {
            var images = Math.Min(_group, pass.Rows - row);
            var pixels = images * _patches.Pixels;
            Gather(inputs + (nint)row * _image, images);
            var outputs = Outputs + (nint)row * Width;
            MatrixProduct.Compute(
                _filters, pixels, _patches.Depth, Matrix.Rows(pass.Parameters + _weight, _patches.Depth), Matrix.Rows(_matrix, Stride(images)),
                images == 1 ? outputs : _grouped, pixels, start, pass.Parameters + _bias, IsRectified, pass.Scratch);
            if (images > 1) Exchange(_grouped, outputs, _filters, images, _patches.Pixels);
        }
    }

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
        if (_bias >= 0) new Span<float>(pass.Gradient + _bias, _filters).Clear();
        for (var row = 0; row < pass.Rows; row += _group)
        {
            var images = Math.Min(_group, pass.Rows - row);
            var pixels = images * _patches.Pixels;
            var slopes = gradient + (nint)row * Width;
            if (_bias >= 0) AddBias(slopes, images, pass.Gradient + _bias);
            if (images > 1)
            {
                Exchange(slopes, _grouped, images, _filters, _patches.Pixels);
                slopes = _grouped;
            }

            Gather(inputs + (nint)row * _image, images);
            // Of the two orders this one transposes the smaller matrix.
            MatrixProduct.Compute(
                _patches.Depth, _filters, pixels, Matrix.Rows(_matrix, Stride(images)), Matrix.Rows(slopes, pixels).Transposed,
                _ofWeights, _filters, row == 0 ? ProductStart.Zero : ProductStart.Sum, null, false, pass.Scratch);
            if (inputGradient == null) continue;
            MatrixProduct.Compute(
                _patches.Depth, pixels, _filters, Matrix.Rows(pass.Parameters + _weight, _patches.Depth).Transposed, Matrix.Rows(slopes, pixels),
                _matrix, Stride(images), ProductStart.Zero, null, false, pass.Scratch);
            Scatter(images, inputGradient + (nint)row * _image);
        }

        var weights = pass.Gradient + _weight;
        for (var i = 0; i < _filters; i++)
        {
            for (var k = 0; k < _patches.Depth; k++) *weights++ = _ofWeights[k * _filters + i];
        }
    }

    /// <summary>From one row of the patches of some images to the next.</summary>
    private int Stride(int images) => images * _patches.Pixels + Patches.Slack;

    private void Gather(float* images, int count)
    {
        for (var i = 0; i < count; i++)
        {
            _patches.Pad(images + (nint)i * _image, _padded);
            _patches.Gather(_padded, _matrix + (nint)i * _patches.Pixels, Stride(count));
        }
    }

    private void Scatter(int count, float* images)
    {
        new Span<float>(images, count * _image).Clear();
        for (var i = 0; i < count; i++)
        {
            new Span<float>(_ofPadded, _patches.PaddedLength).Clear();
            _patches.Scatter(_matrix + (nint)i * _patches.Pixels, Stride(count), _ofPadded);
            _patches.AddMidst(_ofPadded, images + (nint)i * _image);
        }
    }

    private void AddBias(float* slopes, int images, float* sums)
    {
        for (var i = 0; i < images * _filters; i++) sums[i % _filters] += Sums.Of(slopes + (nint)i * _patches.Pixels, _patches.Pixels);
    }

    /// <summary>Blocks of [outer, inner] become those of [inner, outer].</summary>
    private static void Exchange(float* source, float* target, int outer, int inner, int block)
    {
        for (var i = 0; i < outer; i++)
        {
            for (var j = 0; j < inner; j++)
            {
                new Span<float>(source + ((nint)i * inner + j) * block, block).CopyTo(new Span<float>(target + ((nint)j * outer + i) * block, block));
            }
        }
    }
}
