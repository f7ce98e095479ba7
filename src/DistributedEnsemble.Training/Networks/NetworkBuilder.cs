using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Networks;

/// <summary>A layer's description; building it gives its tensors places and yields its function.</summary>
public abstract record Layer
{
    /// <summary>Reads the shape it is given, declares its tensors, sets the shape it gives.</summary>
    public abstract Function Build(NetworkBuilder builder);
}

/// <summary>Follows the shape of one row through the layers, and gives each tensor its name and place.</summary>
public sealed class NetworkBuilder
{
    private readonly List<TensorPlace> _tensors = [], _panels = [];
    private int _layers;
    private bool _isNumbered;
    private int _parameters, _statistics, _counted;

    internal NetworkBuilder(IReadOnlyList<long> inputShape) => Shape = inputShape;

    /// <summary>What the next layer is given, without the batch dimension.</summary>
    public IReadOnlyList<long> Shape { get; set; }

    /// <summary>Numbers that the next layer is given for each row.</summary>
    public int Width => checked((int)Shape.Aggregate(1L, (product, size) => product * size));

    /// <summary>The current layer on kernels of our own; a layer that leaves it null runs on libtorch, and so does its network.</summary>
    public OperationBuilder? Operation { get; set; }

    /// <summary>The border of zeros that the layer before has put around its pictures, which the current layer may leave out.</summary>
    internal ImageBorder Border { get; private set; }

    /// <summary>The border of zeros that the current layer puts around its pictures.</summary>
    internal ImageBorder NextBorder { get; set; }

    /// <summary>Why weights, rows and masks do not decide every bit of what the layers give; null if they do.</summary>
    public string? Inexact { get; set; }

    /// <summary>Why a step cannot train on one row; null if it can.</summary>
    internal string? NotOneRow { get; set; }

    internal IReadOnlyList<TensorPlace> Tensors => _tensors;

    /// <summary>Weights that may be arranged in panels before predictions read them.</summary>
    internal IReadOnlyList<TensorPlace> Panels => _panels;

    internal int Dropouts { get; private set; }
    internal long Activations { get; private set; }

    /// <summary>Products of a weight and a number for one row, about.</summary>
    internal double Products { get; private set; }

    /// <summary>A trained tensor of the current layer.</summary>
    /// <param name="isDecayed">Whether L2 and weight decay act on it.</param>
    /// <returns>Its position, for <see cref="Weights"/>.</returns>
    public int Parameter(string name, IReadOnlyList<long> shape, Initialization start, bool isDecayed) =>
        Place(name, shape, start, isStatistic: false, isDecayed, ref _parameters);

    /// <summary>A measured tensor of the current layer.</summary>
    public int Statistic(string name, IReadOnlyList<long> shape, float start) => Statistic(name, shape, Initialization.Value(start));

    /// <inheritdoc cref="Statistic(string, IReadOnlyList{long}, float)"/>
    internal int Statistic(string name, IReadOnlyList<long> shape, Initialization start) =>
        Place(name, shape, start, isStatistic: true, isDecayed: false, ref _statistics);

    /// <summary>Where a tensor starts in the flat vector of parameters, or of statistics.</summary>
    public int Offset(int tensor) => _tensors[tensor].Offset;

    /// <summary>The current layer's operation reads a tensor by panels where it was arranged in such.</summary>
    internal void ReadByPanels(int tensor) => _panels.Add(_tensors[tensor]);

    /// <summary>The number of a dropout layer: its coordinate in the counter.</summary>
    public int Dropout() => Dropouts++;

    /// <summary>Builds layers one after another, and sets <see cref="Operation"/> if each of them has its own.</summary>
    public Function Chain(IEnumerable<Layer> layers)
    {
        var functions = new List<Function>();
        var operations = new List<OperationBuilder?>();
        foreach (var layer in layers)
        {
            functions.Add(Build(layer));
            operations.Add(Operation);
        }

        Operation = operations.Contains(null) ? null : OperationChain.Of([.. operations!], Width);
        return (weights, inputs, noise) =>
        {
            foreach (var function in functions) inputs = function(weights, inputs, noise);
            return inputs;
        };
    }

    internal Function Build(Layer layer)
    {
        (_isNumbered, Operation) = (false, null);
        (Border, NextBorder) = (NextBorder, default);
        var function = layer.Build(this);
        Activations += Width;
        // A convolution's weights meet every place of the picture; layers inside of this one have counted their own.
        Products += (double)(_parameters - _counted) * (Shape is [_, var height, var width] ? height * width : 1);
        _counted = _parameters;
        return function;
    }

    private int Place(
        string name, IReadOnlyList<long> shape, Initialization start, bool isStatistic, bool isDecayed, ref int offset)
    {
        if (!_isNumbered) _layers++;
        _isNumbered = true;
        var elements = shape.Aggregate(1.0, (product, size) => product * size);
        if (elements > LargestTensor)
        {
            throw new SpecException(
                $"model: a layer would have {elements:0.###e+0} weights; at most {LargestTensor} fit a tensor. Make it smaller.");
        }

        var place = new TensorPlace($"layers.{_layers - 1}.{name}", shape, _layers - 1, isStatistic, isDecayed, start, offset);
        if ((long)offset + place.Length > LargestTensor)
        {
            throw new SpecException($"model: the network would have more than {LargestTensor} weights. Make it smaller.");
        }

        offset += place.Length;
        _tensors.Add(place);
        return _tensors.Count - 1;
    }

    /// <summary>A flat float32 vector whose bytes a span can address.</summary>
    private const int LargestTensor = int.MaxValue / sizeof(float);
}
