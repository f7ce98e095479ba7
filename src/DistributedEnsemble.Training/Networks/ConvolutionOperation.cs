using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Networks;

/// <summary>
/// Each output is one chain in the order of a patch, from the bias; each gradient of a weight one in the order of rows and pixels.
/// Images go forward beside each other; a few of them are products with their patches.
/// </summary>
internal sealed unsafe class ConvolutionOperation : Operation, IRectifying
{
    private readonly Patches _patches;
    private readonly int _filters, _image, _weight, _bias, _images;
    private readonly Action<int, int> _forward, _ofWeights, _ofInputs;

    /// <summary>What each thread works in.</summary>
    private readonly Desk[] _desks;

    /// <param name="bias">Negative if there is none.</param>
    public ConvolutionOperation(Patches patches, int filters, int weight, int bias, OperationPlace place) : base(filters * patches.Pixels)
    {
        (_patches, _filters, _image, _weight, _bias) = (patches, filters, patches.ImageLength, weight, bias);
        (_forward, _ofWeights, _ofInputs) = (ForwardPart, OfWeightsPart, OfInputsPart);
        _images = place.Rows >= place.Threads * InterleavedConvolution.Images ? InterleavedConvolution.Images : InterleavedConvolution.Images / 2;
        Outputs = place.Memory.Take((long)place.Rows * Width);
        _desks = new Desk[place.Threads];
        for (var i = 0; i < _desks.Length; i++)
        {
            _desks[i] = new Desk
            {
                Padded = place.Memory.Take(patches.PaddedLength),
                Matrix = place.Memory.Take((long)patches.Depth * Stride),
                Interleaved = place.IsTrained || place.Rows >= InterleavedConvolution.Fewest
                    ? new InterleavedConvolution(patches, filters, place.Memory, place.IsTrained)
                    : null,
                OfFilters = place.IsTrained ? new FilterGradient(patches, filters, place) : null,
            };
        }
    }

    public bool IsRectified { get; set; }

    /// <summary>From one row of the patches to the next.</summary>
    private int Stride => _patches.Pixels + Patches.Slack;

    public override void Forward(Pass pass, float* inputs) => Share(_forward, Effort(pass), pass, inputs);

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
        Share(_ofWeights, Effort(pass), pass, inputs, gradient, inputGradient);
        if (inputGradient != null) Share(_ofInputs, Effort(pass), pass, inputs, gradient, inputGradient);
    }

    private long Effort(Pass pass) => (long)pass.Rows * Width * _patches.Depth / TeamProduct.Multiplications;

    /// <summary>Some of the images.</summary>
    private void ForwardPart(int part, int parts)
    {
        var (pass, desk) = (Work.Pass, _desks[part]);
        var start = _bias < 0 ? ProductStart.Zero : ProductStart.BiasOfRows;
        var (weights, bias) = (Matrix.Rows(pass.Parameters + _weight, _patches.Depth), Matrix.Rows(pass.Parameters + _bias, 1));
        var end = Team.Place(pass.Rows, _images, part + 1, parts);
        for (var row = Team.Place(pass.Rows, _images, part, parts); row < end; row += _images)
        {
            var count = Math.Min(_images, end - row);
            if (count >= InterleavedConvolution.Fewest)
            {
                desk.Interleaved!.Forward(Work.Inputs + (nint)row * _image, count, weights.Start, start, bias.Start, IsRectified, Outputs + (nint)row * Width);
                continue;
            }

            for (var image = row; image < row + count; image++)
            {
                _patches.Pad(Work.Inputs + (nint)image * _image, desk.Padded);
                _patches.Gather(desk.Padded, desk.Matrix, Stride);
                MatrixProduct.Compute(
                    _filters, _patches.Pixels, _patches.Depth, weights, Matrix.Rows(desk.Matrix, Stride),
                    Outputs + (nint)image * Width, _patches.Pixels, start, bias.Start, IsRectified, pass.Scratch(part));
            }
        }
    }

    /// <summary>The gradient of some numbers of all filters, and of some filters' bias.</summary>
    private void OfWeightsPart(int part, int parts)
    {
        var pass = Work.Pass;
        if (_bias >= 0) SetBias(pass, Team.Place(_filters, 1, part, parts), Team.Place(_filters, 1, part + 1, parts));
        var first = Team.Place(_patches.Depth, 1, part, parts);
        _desks[part].OfFilters!.Compute(
            Work.Inputs, Work.Gradient, pass.Rows, first, Team.Place(_patches.Depth, 1, part + 1, parts) - first, pass.Gradient + _weight);
    }

    /// <summary>The gradient of some images.</summary>
    private void OfInputsPart(int part, int parts)
    {
        var pass = Work.Pass;
        var end = Team.Place(pass.Rows, _images, part + 1, parts);
        for (var row = Team.Place(pass.Rows, _images, part, parts); row < end; row += _images)
        {
            _desks[part].Interleaved!.InputGradient(
                Work.Gradient + (nint)row * Width, Math.Min(_images, end - row), pass.Parameters + _weight, Work.InputGradient + (nint)row * _image, pass.Scratch(part));
        }
    }

    private void SetBias(Pass pass, int filter, int end)
    {
        var sums = pass.Gradient + _bias;
        new Span<float>(sums + filter, end - filter).Clear();
        for (var image = 0; image < pass.Rows; image++)
        {
            for (var i = filter; i < end; i++) sums[i] += Sums.Of(Work.Gradient + ((nint)image * _filters + i) * _patches.Pixels, _patches.Pixels);
        }
    }

    private struct Desk
    {
        /// <summary>An image with its border, and its patches.</summary>
        public float* Padded, Matrix;

        /// <summary>Null where no pass has images enough.</summary>
        public InterleavedConvolution? Interleaved;

        /// <summary>Null where nothing is trained.</summary>
        public FilterGradient? OfFilters;
    }
}
