using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Networks;

/// <summary>
/// Puts a vector in the place of each number x: a·x + b + Σₜ wₜ·eₜ(x), where eₜ rises from 0 at the lower edge of bin t to 1 at its
/// upper one and is constant elsewhere, but goes on below the first bin and above the last (Gorishniy et al., "On embeddings for
/// numerical features", 2022, eq. 1; w starts at 0 as in TabM: Gorishniy et al., 2025). Gives the other inputs in their
/// order, then the vectors in the order of <paramref name="Inputs"/>. slope and bias [numbers, width]; input i's bins are the
/// tensor weight{i}, [bins, width].
/// </summary>
/// <param name="Inputs">By ascending place.</param>
/// <param name="Width">Numbers of each vector.</param>
public sealed record PiecewiseLinear(IReadOnlyList<NumberInput> Inputs, int Width) : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        if (builder.Shape is not [var width]) throw new SpecException("model: only the inputs of a table can be embedded as numbers.");
        var slope = builder.Parameter("slope", [Inputs.Count, Width], Initialization.FanIn(Width), isDecayed: true);
        var bias = builder.Parameter("bias", [Inputs.Count, Width], Initialization.FanIn(Width), isDecayed: false);
        int[] bins = [.. Inputs.Select((input, i) => builder.Parameter($"weight{i}", [input.Bins, Width], Initialization.Value(0), isDecayed: true))];
        var rest = Enumerable.Range(0, (int)width).Except(Inputs.Select(input => input.Place)).ToArray();
        var places = (builder.Offset(slope), builder.Offset(bias), bins.Select(builder.Offset).ToArray());
        builder.Operation = place => new PiecewiseLinearOperation(rest, [.. Inputs], Width, (int)width, places, place);
        builder.Shape = [rest.Length + (long)Inputs.Count * Width];
        return (weights, inputs, _) =>
        {
            var parts = Inputs.Select((input, i) => inputs.select(1, input.Place).unsqueeze(1) * weights[slope][i] + weights[bias][i]
                + Encode(input, inputs.select(1, input.Place)).matmul(weights[bins[i]]));
            if (rest.Length > 0) parts = parts.Prepend(inputs.index_select(1, tensor(rest.Select(place => (long)place).ToArray())));
            return cat([.. parts], 1);
        };
    }

    /// <returns>[rows, bins].</returns>
    private static Tensor Encode(NumberInput input, Tensor x)
    {
        var (lower, upper) = (tensor(input.Edges.SkipLast(1).ToArray()), tensor(input.Edges.Skip(1).ToArray()));
        var shares = (x.unsqueeze(1) - lower) / (upper - lower);
        if (input.Bins == 1) return shares;
        var (least, most) = (zeros_like(lower), ones_like(lower));
        least[0] = float.NegativeInfinity;
        most[-1] = float.PositiveInfinity;
        return shares.clamp(least, most);
    }
}

/// <summary>
/// Below the bin of x all shares are 1 and above it 0: the vector is a sum of bins that is made once for all rows, and a share of one.
/// Backward adds to each bin what its rows ask of it and of all bins below it, and then the sums over the bins above.
/// </summary>
internal sealed unsafe class PiecewiseLinearOperation : Operation
{
    private readonly int[] _rest;
    private readonly NumberInput[] _numbers;
    private readonly int _width, _inputWidth;
    private readonly (int Slope, int Bias, int[] Bins) _places;

    /// <summary>Of each number and bin: the sum of the bins below it, from the bias on; later the gradient of that.</summary>
    private readonly float*[] _sums;

    private readonly float[][] _edges, _factors;

    public PiecewiseLinearOperation(
        int[] rest, NumberInput[] numbers, int width, int inputWidth, (int Slope, int Bias, int[] Bins) places, OperationPlace place)
        : base(rest.Length + numbers.Length * width)
    {
        (_rest, _numbers, _width, _inputWidth, _places) = (rest, numbers, width, inputWidth, places);
        Outputs = place.Memory.Take((long)place.Rows * Width);
        _sums = new float*[numbers.Length];
        for (var i = 0; i < numbers.Length; i++) _sums[i] = place.Memory.Take((long)numbers[i].Bins * width);
        _edges = [.. numbers.Select(number => number.Edges.ToArray())];
        _factors = [.. _edges.Select(edges => edges.Zip(edges.Skip(1), (lower, upper) => upper - lower).ToArray())];
    }

    public override void Forward(Pass pass, float* inputs)
    {
        for (var i = 0; i < _numbers.Length; i++) Sum(pass.Parameters, i);
        var target = Outputs;
        for (nint row = 0; row < pass.Rows; row++, inputs += _inputWidth)
        {
            foreach (var place in _rest) *target++ = inputs[place];
            for (var i = 0; i < _numbers.Length; i++, target += _width)
            {
                var (x, bin, share) = Find(i, inputs);
                float* sums = _sums[i] + bin * _width, weights = Bin(pass.Parameters, i, bin), slopes = pass.Parameters + _places.Slope + i * _width;
                for (var j = 0; j < _width; j++) target[j] = MathF.FusedMultiplyAdd(x, slopes[j], MathF.FusedMultiplyAdd(share, weights[j], sums[j]));
            }
        }
    }

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
        float* ofSlope = pass.Gradient + _places.Slope, ofBias = pass.Gradient + _places.Bias;
        new Span<float>(ofSlope, _numbers.Length * _width).Clear();
        for (var i = 0; i < _numbers.Length; i++)
        {
            new Span<float>(_sums[i], _numbers[i].Bins * _width).Clear();
            new Span<float>(Bin(pass.Gradient, i, 0), _numbers[i].Bins * _width).Clear();
        }

        for (nint row = 0; row < pass.Rows; row++, inputs += _inputWidth)
        {
            var slopes = gradient + row * Width;
            var ofInputs = inputGradient == null ? null : inputGradient + row * _inputWidth;
            foreach (var place in _rest)
            {
                if (ofInputs != null) ofInputs[place] = *slopes;
                slopes++;
            }

            for (var i = 0; i < _numbers.Length; i++, slopes += _width)
            {
                var (x, bin, share) = Find(i, inputs);
                Elementwise.AddScaled(ofSlope + i * _width, slopes, x, _width);
                Elementwise.AddScaled(Bin(pass.Gradient, i, bin), slopes, share, _width);
                Elementwise.Add(_sums[i] + bin * _width, slopes, _width);
                if (ofInputs != null) ofInputs[_numbers[i].Place] = Derivative(pass.Parameters, i, bin, slopes);
            }
        }

        for (var i = 0; i < _numbers.Length; i++)
        {
            for (var bin = _numbers[i].Bins - 1; bin > 0; bin--)
            {
                Elementwise.Add(Bin(pass.Gradient, i, bin - 1), _sums[i] + bin * _width, _width);
                Elementwise.Add(_sums[i] + (bin - 1) * _width, _sums[i] + bin * _width, _width);
            }

            new Span<float>(_sums[i], _width).CopyTo(new Span<float>(ofBias + i * _width, _width));
        }
    }

    private void Sum(float* parameters, int i)
    {
        var sums = _sums[i];
        new Span<float>(parameters + _places.Bias + i * _width, _width).CopyTo(new Span<float>(sums, _width));
        for (var bin = 1; bin < _numbers[i].Bins; bin++, sums += _width)
        {
            var weights = Bin(parameters, i, bin - 1);
            for (var j = 0; j < _width; j++) sums[_width + j] = sums[j] + weights[j];
        }
    }

    /// <summary>The number, its bin, and how far it is in it.</summary>
    private (float X, int Bin, float Share) Find(int i, float* inputs)
    {
        var (x, edges) = (inputs[_numbers[i].Place], _edges[i]);
        var place = edges.AsSpan(1, edges.Length - 2).BinarySearch(x);
        var bin = place < 0 ? ~place : place + 1;
        return (x, bin, (x - edges[bin]) / _factors[i][bin]);
    }

    private float Derivative(float* parameters, int i, int bin, float* slopes)
    {
        var (direct, inBin) = (0f, 0f);
        var weights = Bin(parameters, i, bin);
        for (var j = 0; j < _width; j++)
        {
            direct = MathF.FusedMultiplyAdd(slopes[j], parameters[_places.Slope + i * _width + j], direct);
            inBin = MathF.FusedMultiplyAdd(slopes[j], weights[j], inBin);
        }

        return direct + inBin / _factors[i][bin];
    }

    private float* Bin(float* parameters, int i, int bin) => parameters + _places.Bins[i] + bin * _width;
}
