using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Tasks;
using static DistributedEnsemble.Training.Exports.Onnx.OnnxGraph;
using static global::Onnx.TensorProto.Types;

namespace DistributedEnsemble.Training.Exports.Onnx;

/// <summary>What a task makes of networks' outputs, in double as elsewhere: the answers of each, their average, and what is said of it.</summary>
/// <remarks>A new task is one class and one line here.</remarks>
internal abstract class OnnxAnswers(OnnxGraph graph)
{
    /// <summary>Before the names of outputs after calibration.</summary>
    protected const string Calibrated = "calibrated_";

    /// <param name="isCalibrated">Whether the validation split fitted this average, and predictions after calibration are answered, too.</param>
    /// <exception cref="SpecException">ONNX knows nothing of the task.</exception>
    public static OnnxAnswers For(LearningTask task, bool isCalibrated, OnnxGraph graph) => task switch
    {
        Classification classification => new OnnxClassification(classification, isCalibrated ? classification.FittedTemperature : null, graph),
        Regression regression => new OnnxRegression(regression, isCalibrated ? regression.FittedFactor : null, graph),
        _ => throw new SpecException($"The task is {task.Name}: ONNX knows nothing of it. Export this run as safetensors."),
    };

    public abstract IReadOnlyList<string> Outputs { get; }

    /// <param name="outputs">Of a network: [rows, outputs], or [rows, submodels, outputs].</param>
    /// <returns>Numbers whose means over models are the answers of the average.</returns>
    public string[] Of(string outputs, int submodels) => submodels == 1 ? Of(outputs)
        : [.. Of(outputs).Select(answer => graph.Node("ReduceMean", [answer], Attribute("axes", [1L]), Attribute("keepdims", 0L)))];

    /// <param name="outputs">[…, outputs].</param>
    protected abstract string[] Of(string outputs);

    /// <summary>Σ multiplicity·answer / Σ multiplicity, in the order of the models.</summary>
    public string[] Mean(IReadOnlyList<(string[] Answers, int Multiplicity)> models)
    {
        double count = models.Sum(model => model.Multiplicity);
        return [.. Enumerable.Range(0, models[0].Answers.Length).Select(i =>
        {
            string[] terms = [.. models.Select(model => model.Multiplicity == 1 ? model.Answers[i] : Times(model.Answers[i], model.Multiplicity))];
            return terms is [var only] && count == 1 ? only : graph.Node("Div", [graph.Node("Sum", terms), Number(count)]);
        })];
    }

    /// <summary>Declares the outputs.</summary>
    /// <param name="mean">The answers of the average.</param>
    public abstract void Answer(string[] mean);

    protected string Number(double number) => graph.Constant([], number);

    protected string Times(string value, double factor) => factor == 1 ? value : graph.Node("Mul", [value, Number(factor)]);

    protected string AtLeast(string value, double least) => graph.Node("Max", [value, Number(least)]);

    protected string ToFloat(string value) => graph.Cast(value, DataType.Float);
}

/// <summary>The probability of each class, and their entropy.</summary>
internal sealed class OnnxClassification(Classification task, double? temperature, OnnxGraph graph) : OnnxAnswers(graph)
{
    private readonly OnnxGraph _graph = graph;

    public override IReadOnlyList<string> Outputs =>
    [
        "label", "probabilities", "entropy", "mutual_information",
        .. temperature is null ? (string[])[] : [$"{Calibrated}probabilities", $"{Calibrated}entropy"],
    ];

    protected override string[] Of(string outputs)
    {
        var logarithms = _graph.Node("LogSoftmax", [_graph.Cast(outputs, DataType.Double)], Attribute("axis", -1L));
        var probabilities = _graph.Node("Exp", [logarithms]);
        return [probabilities, Entropy(probabilities, logarithms)];
    }

    public override void Answer(string[] mean)
    {
        var (probabilities, ofEach) = (mean[0], mean[1]);
        var logarithms = _graph.Node("Log", [AtLeast(probabilities, float.Epsilon)]);
        var entropy = AtLeast(Entropy(probabilities, logarithms), 0);
        var label = _graph.Node("Gather", [_graph.Texts(task.Classes), _graph.Node("ArgMax", [probabilities], Attribute("axis", -1L), Attribute("keepdims", 0L))]);
        var classes = $"of the classes {string.Join(", ", task.Classes)}";
        _graph.Output("label", label, DataType.String, "the most probable class");
        _graph.Output("probabilities", ToFloat(probabilities), DataType.Float, classes, task.Classes.Count);
        _graph.Output("entropy", ToFloat(entropy), DataType.Float, "of the probabilities, in nats");
        _graph.Output("mutual_information", ToFloat(AtLeast(_graph.Node("Sub", [entropy, ofEach]), 0)), DataType.Float, "what of the entropy the models disagree on, in nats");
        if (temperature is null) return;
        var scaled = _graph.Node("LogSoftmax", [Times(logarithms, 1 / temperature.Value)], Attribute("axis", -1L));
        var calibrated = _graph.Node("Exp", [scaled]);
        _graph.Output($"{Calibrated}probabilities", ToFloat(calibrated), DataType.Float, $"after temperature scaling, {classes}", task.Classes.Count);
        _graph.Output($"{Calibrated}entropy", ToFloat(Entropy(calibrated, scaled)), DataType.Float, "of the calibrated probabilities, in nats");
    }

    private string Entropy(string probabilities, string logarithms) => _graph.Node("Neg", [_graph.Node(
        "ReduceSum", [_graph.Node("Mul", [probabilities, logarithms]), _graph.Constant([1], -1L)], Attribute("keepdims", 0L))]);
}

/// <summary>μ, σ² and μ², standardised.</summary>
internal sealed class OnnxRegression(Regression task, double? factor, OnnxGraph graph) : OnnxAnswers(graph)
{
    private static readonly string[] s_deviations = ["standard_deviation", "aleatoric", "epistemic"];

    private readonly OnnxGraph _graph = graph;

    public override IReadOnlyList<string> Outputs => ["mean", .. s_deviations, .. factor is null ? [] : s_deviations.Select(name => Calibrated + name)];

    protected override string[] Of(string outputs)
    {
        outputs = _graph.Cast(outputs, DataType.Double);
        var mean = Column(0);
        var square = _graph.Node("Mul", [mean, mean]);
        return task.Outputs == 1 ? [mean, square] : [mean, square, _graph.Node("Add", [Softplus(Column(1)), Number(Regression.SmallestVariance)])];

        string Column(long place) => _graph.Node("Gather", [outputs, _graph.Constant([], place)], Attribute("axis", -1L));
    }

    public override void Answer(string[] mean)
    {
        var spread = AtLeast(_graph.Node("Sub", [mean[1], _graph.Node("Mul", [mean[0], mean[0]])]), 0);
        var aleatoric = mean is [_, _, var variance] ? variance : _graph.Node("Add", [Times(spread, 0), Number(task.FittedNoise!.Value)]);
        string[] deviations = [.. new[] { _graph.Node("Add", [aleatoric, spread]), aleatoric, spread }.Select(value => _graph.Node("Sqrt", [value]))];
        _graph.Output("mean", ToFloat(_graph.Node("Add", [Times(mean[0], task.Deviation), Number(task.Mean)])), DataType.Float, $"of {task.Target ?? "the target"}");
        Answer("", task.Deviation, deviations);
        if (factor is not null) Answer(Calibrated, factor.Value * task.Deviation, deviations);
    }

    private void Answer(string prefix, double unit, string[] deviations)
    {
        string[] meanings = ["of the prediction", "what of it the models say", "what of it the models disagree on"];
        foreach (var (name, value, meaning) in s_deviations.Zip(deviations, meanings))
            _graph.Output(prefix + name, ToFloat(Times(value, unit)), DataType.Float, prefix.Length > 0 ? $"{meaning}, after calibration" : meaning);
    }

    /// <summary>ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|).</summary>
    private string Softplus(string x) => _graph.Node("Add", [AtLeast(x, 0), _graph.Node(
        "Log", [_graph.Node("Add", [_graph.Node("Exp", [_graph.Node("Neg", [_graph.Node("Abs", [x])])]), Number(1)])])]);
}
