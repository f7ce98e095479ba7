using DistributedEnsemble.Training.Kernels;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training.Networks;

/// <summary>
/// One dense layer shared by k submodels: yₛ = vₛ ⊙ W·(uₛ ⊙ xₛ) + bₛ, so that submodel s has the weights W ⊙ vₛuₛᵀ, adapted by a
/// matrix of rank one (Wen et al., "BatchEnsemble", 2020, eq. 1, as in TabM: Gorishniy et al., 2025, section 3.3). Takes
/// [features], the same for all, or [submodels, features]; gives [submodels, units]. weight [units, features],
/// inputs [submodels, features], outputs and bias [submodels, units].
/// </summary>
/// <param name="AreSigns">Whether the adapters of the inputs start as ±1, which makes the submodels different, and not as 1.</param>
public sealed record AdaptedDense(int Submodels, int Units, bool AreSigns) : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        var (features, isShared) = (builder.Shape[^1], builder.Shape.Count == 1);
        var weight = builder.Parameter("weight", [Units, features], Initialization.FanIn(features), isDecayed: true);
        var inputs = builder.Parameter("inputs", [Submodels, features], AreSigns ? Initialization.Sign : Initialization.Value(1), isDecayed: false);
        var outputs = builder.Parameter("outputs", [Submodels, Units], Initialization.Value(1), isDecayed: false);
        var bias = builder.Parameter("bias", [Submodels, Units], Initialization.FanIn(features), isDecayed: false);
        builder.Shape = [Submodels, Units];
        var places = (builder.Offset(weight), builder.Offset(inputs), builder.Offset(outputs), builder.Offset(bias));
        builder.Operation = place => new AdaptedDenseOperation(Submodels, (int)features, Units, isShared, places, place);
        return (weights, x, _) =>
            functional.linear((isShared ? x.unsqueeze(1) : x) * weights[inputs], weights[weight]) * weights[outputs] + weights[bias];
    }
}

/// <summary>
/// The products of all submodels' rows are one: row r of submodel s is row r·k + s of it. It goes in blocks of rows that stay in the
/// second cache while they are adapted, multiplied and adapted again. Each gradient is one chain in the order of the rows.
/// </summary>
internal sealed unsafe class AdaptedDenseOperation : Operation, IRectifying
{
    private const int BlockRows = 256;

    private readonly int _submodels, _features, _units;
    private readonly bool _isShared;
    private readonly (int Weight, int Inputs, int Outputs, int Bias) _places;

    /// <summary>A block of adapted inputs, later of their gradient; a block of the products' gradient.</summary>
    private readonly float* _adapted, _slopes;

    /// <summary>Of all rows where the layer is trained; else of a block, in the place of the outputs.</summary>
    private readonly float* _products;

    /// <param name="places">In the flat vector of parameters.</param>
    public AdaptedDenseOperation(
        int submodels, int features, int units, bool isShared, (int Weight, int Inputs, int Outputs, int Bias) places, OperationPlace place)
        : base(submodels * units)
    {
        (_submodels, _features, _units, _isShared, _places) = (submodels, features, units, isShared, places);
        Outputs = place.Memory.Take((long)place.Rows * Width);
        _adapted = place.Memory.Take((long)BlockRows * features);
        if (!place.IsTrained) return;
        _slopes = place.Memory.Take((long)BlockRows * units);
        _products = place.Memory.Take((long)place.Rows * Width);
    }

    public bool IsRectified { get; set; }

    public override void Forward(Pass pass, float* inputs)
    {
        float* vectors = pass.Parameters + _places.Outputs, biases = pass.Parameters + _places.Bias;
        for (var (first, end) = (0, pass.Rows * _submodels); first < end; first += BlockRows)
        {
            var rows = Math.Min(BlockRows, end - first);
            Adapt(pass, inputs, first, rows);
            var outputs = Outputs + (nint)first * _units;
            var products = _products == null ? outputs : _products + (nint)first * _units;
            pass.Product.Compute(
                rows, _units, _features, Matrix.Rows(_adapted, _features), Matrix.Rows(pass.Parameters + _places.Weight, _features).Transposed,
                products, _units, ProductStart.Zero, null, false);
            for (var i = 0; i < rows; i++)
            {
                nint place = (first + i) % _submodels * _units, row = (nint)i * _units;
                Elementwise.Adapt(products + row, vectors + place, biases + place, outputs + row, _units, IsRectified);
            }
        }
    }

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
        float* ofWeight = pass.Gradient + _places.Weight, ofInputs = pass.Gradient + _places.Inputs;
        float* ofOutputs = pass.Gradient + _places.Outputs, ofBias = pass.Gradient + _places.Bias;
        new Span<float>(ofInputs, _submodels * _features).Clear();
        new Span<float>(ofOutputs, Width).Clear();
        new Span<float>(ofBias, Width).Clear();
        if (_isShared && inputGradient != null) new Span<float>(inputGradient, pass.Rows * _features).Clear();
        for (var (first, end) = (0, pass.Rows * _submodels); first < end; first += BlockRows)
        {
            var rows = Math.Min(BlockRows, end - first);
            for (var i = 0; i < rows; i++)
            {
                nint place = (first + i) % _submodels * _units, row = (first + i) * (nint)_units;
                Elementwise.Add(ofBias + place, gradient + row, _units);
                Elementwise.AddProduct(ofOutputs + place, gradient + row, _products + row, _units);
                Elementwise.Product(gradient + row, pass.Parameters + _places.Outputs + place, _slopes + (nint)i * _units, _units);
            }

            Adapt(pass, inputs, first, rows);
            pass.Product.Compute(
                _units, _features, rows, Matrix.Rows(_slopes, _units).Transposed, Matrix.Rows(_adapted, _features),
                ofWeight, _features, first == 0 ? ProductStart.Zero : ProductStart.Sum, null, false);
            pass.Product.Compute(
                rows, _features, _units, Matrix.Rows(_slopes, _units), Matrix.Rows(pass.Parameters + _places.Weight, _features),
                _adapted, _features, ProductStart.Zero, null, false);
            for (var i = 0; i < rows; i++)
            {
                nint place = (first + i) % _submodels * _features, row = InputRow(first + i);
                var slopes = _adapted + (nint)i * _features;
                Elementwise.AddProduct(ofInputs + place, slopes, inputs + row, _features);
                if (inputGradient == null) continue;
                if (_isShared) Elementwise.AddProduct(inputGradient + row, slopes, pass.Parameters + _places.Inputs + place, _features);
                else Elementwise.Product(slopes, pass.Parameters + _places.Inputs + place, inputGradient + row, _features);
            }
        }
    }

    private void Adapt(Pass pass, float* inputs, int first, int rows)
    {
        for (var i = 0; i < rows; i++)
        {
            nint place = (first + i) % _submodels * _features;
            Elementwise.Product(inputs + InputRow(first + i), pass.Parameters + _places.Inputs + place, _adapted + (nint)i * _features, _features);
        }
    }

    private nint InputRow(int row) => (_isShared ? row / _submodels : row) * (nint)_features;
}
