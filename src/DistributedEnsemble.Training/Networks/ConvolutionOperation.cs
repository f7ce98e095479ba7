using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Networks;

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
    private readonly Action<int, int> _forward, _backward;

    /// <summary>What each thread works in.</summary>
    private readonly Desk[] _desks;

    /// <summary>The gradient of the weights, [depth, filters].</summary>
    private readonly float* _ofWeights;

    /// <param name="image">Numbers of an image that comes in.</param>
    /// <param name="bias">Negative if there is none.</param>
    public ConvolutionOperation(Patches patches, int filters, int image, int weight, int bias, OperationPlace place) : base(filters * patches.Pixels)
    {
        (_patches, _filters, _image, _weight, _bias) = (patches, filters, image, weight, bias);
        (_forward, _backward) = (ForwardPart, BackwardPart);
        _group = Math.Clamp(Together / patches.Pixels, 1, place.Rows);
        Outputs = place.Memory.Take((long)place.Rows * Width);
        _desks = new Desk[place.Threads];
        for (var i = 0; i < _desks.Length; i++)
        {
            _desks[i] = new Desk
            {
                Padded = place.Memory.Take(patches.PaddedLength),
                Matrix = place.Memory.Take((long)patches.Depth * Stride(_group)),
                Grouped = place.Memory.Take((long)Width * _group),
                OfPadded = place.IsTrained ? place.Memory.Take(patches.PaddedLength) : null,
            };
        }

        if (place.IsTrained) _ofWeights = place.Memory.Take((long)patches.Depth * filters);
    }

    public bool IsRectified { get; set; }

    public override void Forward(Pass pass, float* inputs) => Share(_forward, Effort(pass), pass, inputs);

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient) =>
        Share(_backward, Effort(pass), pass, inputs, gradient, inputGradient);

    private long Effort(Pass pass) => (long)pass.Rows * Width * _patches.Depth / TeamProduct.Multiplications;

    /// <summary>Some of the images.</summary>
    private void ForwardPart(int part, int parts)
    {
        var (pass, desk) = (Work.Pass, _desks[part]);
        var start = _bias < 0 ? ProductStart.Zero : ProductStart.BiasOfRows;
        var end = Team.Place(pass.Rows, _group, part + 1, parts);
        for (var row = Team.Place(pass.Rows, _group, part, parts); row < end; row += _group)
        {
            var images = Math.Min(_group, end - row);
            var pixels = images * _patches.Pixels;
            Gather(desk, Work.Inputs + (nint)row * _image, images);
            var outputs = Outputs + (nint)row * Width;
            MatrixProduct.Compute(
                _filters, pixels, _patches.Depth, Matrix.Rows(pass.Parameters + _weight, _patches.Depth), Matrix.Rows(desk.Matrix, Stride(images)),
                images == 1 ? outputs : desk.Grouped, pixels, start, pass.Parameters + _bias, IsRectified, pass.Scratch(part));
            if (images > 1) Exchange(desk.Grouped, outputs, _filters, images, _patches.Pixels);
        }
    }

    /// <summary>The gradient of some filters' weights, of all images; and that of some images.</summary>
    private void BackwardPart(int part, int parts)
    {
        var pass = Work.Pass;
        var (filter, images) = (Team.Place(_filters, 1, part, parts), Team.Place(pass.Rows, _group, part, parts));
        var filters = Team.Place(_filters, 1, part + 1, parts) - filter;
        var imagesEnd = Team.Place(pass.Rows, _group, part + 1, parts);
        if (_bias >= 0) new Span<float>(pass.Gradient + _bias + filter, filters).Clear();
        for (var row = 0; row < pass.Rows; row += _group)
        {
            var count = Math.Min(_group, pass.Rows - row);
            AddToWeights(pass, part, row, count, filter, filters);
            if (Work.InputGradient != null && row >= images && row < imagesEnd) SetInputs(pass, part, row, count);
        }

        for (var i = filter; i < filter + filters; i++)
        {
            var weights = pass.Gradient + _weight + i * _patches.Depth;
            for (var k = 0; k < _patches.Depth; k++) weights[k] = _ofWeights[k * _filters + i];
        }
    }

    /// <summary>Adds what a group of images says of some filters.</summary>
    private void AddToWeights(Pass pass, int part, int row, int images, int filter, int filters)
    {
        var (desk, pixels) = (_desks[part], images * _patches.Pixels);
        var slopes = Work.Gradient + (nint)row * Width;
        if (_bias >= 0) AddBias(slopes, images, filter, filters, pass.Gradient + _bias);
        if (images > 1)
        {
            Exchange(slopes, desk.Grouped, images, _filters, _patches.Pixels);
            slopes = desk.Grouped;
        }

        Gather(desk, Work.Inputs + (nint)row * _image, images);
        // Of the two orders this one transposes the smaller matrix.
        MatrixProduct.Compute(
            _patches.Depth, filters, pixels, Matrix.Rows(desk.Matrix, Stride(images)), Matrix.Rows(slopes + (nint)filter * pixels, pixels).Transposed,
            _ofWeights + filter, _filters, row == 0 ? ProductStart.Zero : ProductStart.Sum, null, false, pass.Scratch(part));
    }

    /// <summary>Sets the gradient of a group of images, whose slopes lie on the desk.</summary>
    private void SetInputs(Pass pass, int part, int row, int images)
    {
        var (desk, pixels) = (_desks[part], images * _patches.Pixels);
        var slopes = images > 1 ? desk.Grouped : Work.Gradient + (nint)row * Width;
        MatrixProduct.Compute(
            _patches.Depth, pixels, _filters, Matrix.Rows(pass.Parameters + _weight, _patches.Depth).Transposed, Matrix.Rows(slopes, pixels),
            desk.Matrix, Stride(images), ProductStart.Zero, null, false, pass.Scratch(part));
        Scatter(desk, images, Work.InputGradient + (nint)row * _image);
    }

    /// <summary>From one row of the patches of some images to the next.</summary>
    private int Stride(int images) => images * _patches.Pixels + Patches.Slack;

    private void Gather(Desk desk, float* images, int count)
    {
        for (var i = 0; i < count; i++)
        {
            _patches.Pad(images + (nint)i * _image, desk.Padded);
            _patches.Gather(desk.Padded, desk.Matrix + (nint)i * _patches.Pixels, Stride(count));
        }
    }

    private void Scatter(Desk desk, int count, float* images)
    {
        new Span<float>(images, count * _image).Clear();
        for (var i = 0; i < count; i++)
        {
            new Span<float>(desk.OfPadded, _patches.PaddedLength).Clear();
            _patches.Scatter(desk.Matrix + (nint)i * _patches.Pixels, Stride(count), desk.OfPadded);
            _patches.AddMidst(desk.OfPadded, images + (nint)i * _image);
        }
    }

    private void AddBias(float* slopes, int images, int filter, int filters, float* sums)
    {
        for (var image = 0; image < images; image++)
        {
            for (var i = filter; i < filter + filters; i++) sums[i] += Sums.Of(slopes + ((nint)image * _filters + i) * _patches.Pixels, _patches.Pixels);
        }
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

    private struct Desk
    {
        /// <summary>An image with its border; patches of a group; outputs of a group, or their gradient; the gradient of an image with its border.</summary>
        public float* Padded, Matrix, Grouped, OfPadded;
    }
}
