using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace DistributedEnsemble.Client.Tests.Commands;

/// <summary>Whatever a run was trained with, its ONNX file answers what `predict` says of the same models.</summary>
public sealed class ExportedModelTests : IDisposable
{
    private const double Tolerance = 1e-5;

    private static readonly double[] s_sizes = [3.5, double.NaN, 11, 0, 30, 1e4, double.NaN];
    private static readonly string[] s_days = ["2020-01-01", "2020-01-26", "", "2020-09-13", "2031-12-31", "2020-02-29", ""], s_colours = ["red", "", "violet", "blue", "green", "red", "NA"];

    private readonly TestDriver _driver = new();

    [Theory]
    [InlineData("--set training.classWeights=balanced")]
    [InlineData("--folds 3")]
    [InlineData("--bootstrap")]
    [InlineData("--set model.numericEmbedding=piecewise-linear")]
    [InlineData("--set model.kind=tabm --set model.submodels=4")]
    [InlineData("--set snapshots.perMember=4", "--from snapshots --select greedy")]
    [InlineData("--set snapshots.perMember=3", "--from snapshots --select last:2 --members 2")]
    [InlineData("--set averaging.everySteps=2", "--from ema")]
    [InlineData("--set training.earlyStopping.everySteps=2 --set training.earlyStopping.patience=2")]
    [InlineData("--target size --set training.likelihood=squared-error")]
    [InlineData("--target size --folds 3")]
    [InlineData("--target size --set model.kind=tabm --set training.likelihood=squared-error")]
    public async Task An_exported_run_answers_as_predict_does(string training, string choice = "")
    {
        await TrainAsync(training.Split(' '));

        await CompareAsync("r", IsRegression(training), choice);
    }

    [Theory]
    [InlineData("")]
    [InlineData("--target size")]
    public async Task A_distilled_student_is_exported_the_same_way(string training)
    {
        await TrainAsync(training.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        (await _driver.RunAsync("distill", "r", "--name", "student", "--set", "training.epochs=2")).Succeeded();

        await CompareAsync("student", IsRegression(training), "");
    }

    [Theory]
    [InlineData("r")]
    [InlineData("students")]
    public async Task A_single_model_answers_as_the_one_that_validation_found_best(string run)
    {
        await TrainAsync();
        if (run == "students") (await _driver.RunAsync("distill", "r", "--name", run, "--members", "3", "--set", "training.epochs=3")).Succeeded();
        var member = Assert.Single((await _driver.RunAsync("export", run, "--format", "onnx", "--single", "--output", _driver.Place("one.onnx"), "--json")).Succeeded()
            .Json.GetProperty("constituents").EnumerateArray()).GetProperty("member").GetInt32();
        var rows = RowsOf(isRegression: false);

        var (one, those, before) = (Answers("one.onnx"), await SumOfFirstAsync(member + 1), await SumOfFirstAsync(member));

        // What the members up to it add up to, less those before it.
        foreach (var (row, probabilities) in those.Index())
            foreach (var (place, sum) in probabilities.Index()) AssertClose(sum - before[row][place], ((Tensor<float>)one["probabilities"])[row, place], unit: 1, $"row {row}, class {place}");

        async Task<double[][]> SumOfFirstAsync(int members)
        {
            if (members == 0) return [.. s_days.Select(_ => new double[2])];
            var answered = (await _driver.RunAsync("predict", run, "--input", rows, "--members", $"{members}", "--json")).Succeeded().Json;
            return [.. answered.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("probabilities").EnumerateObject().Select(one => members * one.Value.GetDouble()).ToArray())];
        }
    }

    public void Dispose() => _driver.Dispose();

    private async Task CompareAsync(string run, bool isRegression, string choice)
    {
        string[] chosen = choice.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var rows = RowsOf(isRegression);
        // Of a greedy selection it is the evaluation that selects.
        if (chosen.Contains("greedy")) (await _driver.RunAsync(["evaluate", run, .. chosen])).Succeeded();
        (await _driver.RunAsync(["export", run, "--format", "onnx", "--output", _driver.Place("r.onnx"), .. chosen])).Succeeded();
        var expected = (await _driver.RunAsync(["predict", run, "--input", rows, "--json", .. chosen])).Succeeded().Json.GetProperty("rows").EnumerateArray().ToArray();

        var answers = Answers("r.onnx");

        Assert.Equal(s_days.Length, expected.Length);
        foreach (var (i, row) in expected.Index())
        {
            if (isRegression)
            {
                foreach (var name in new[] { "mean", "standard_deviation", "aleatoric", "epistemic" })
                    AssertClose(row.GetProperty(name == "standard_deviation" ? "standardDeviation" : name).GetDouble(), Numbers(name)[i], unit: 30, name);
                continue;
            }

            Assert.Equal(row.GetProperty("label").GetString(), ((Tensor<string>)answers["label"])[i]);
            AssertClose(row.GetProperty("entropy").GetDouble(), Numbers("entropy")[i], unit: 1, "entropy");
            foreach (var (place, probability) in row.GetProperty("probabilities").EnumerateObject().Index())
                AssertClose(probability.Value.GetDouble(), ((Tensor<float>)answers["probabilities"])[i, place], unit: 1, probability.Name);
        }

        float[] Numbers(string name) => [.. (Tensor<float>)answers[name]];
    }

    private string RowsOf(bool isRegression)
    {
        var lines = s_days.Select((day, i) => isRegression ? $"{day},{s_colours[i]}" : $"{(double.IsNaN(s_sizes[i]) ? "" : s_sizes[i])},{day},{s_colours[i]}");
        return _driver.File("rows.csv", $"{(isRegression ? "" : "size,")}day,colour\n{string.Join('\n', lines)}\n");
    }

    /// <summary>Of OnnxRuntime, to the same rows.</summary>
    private Dictionary<string, object> Answers(string file)
    {
        using var session = new InferenceSession(_driver.Place(file));
        using var outputs = session.Run([.. session.InputMetadata.Keys.Select(Value)]);
        return outputs.ToDictionary(output => output.Name, output => output.Value switch
        {
            Tensor<float> numbers => numbers.Clone(),
            Tensor<string> names => (object)names.Clone(),
            var other => throw new InvalidOperationException($"{output.Name} is {other}."),
        });
    }

    /// <summary>Of the column that is a feature otherwise.</summary>
    private static bool IsRegression(string training) => training.Contains("--target size", StringComparison.Ordinal);

    private static NamedOnnxValue Value(string input) => input switch
    {
        "size" => NamedOnnxValue.CreateFromTensor(input, new DenseTensor<double>(s_sizes, [s_sizes.Length, 1])),
        "day" => NamedOnnxValue.CreateFromTensor(input, new DenseTensor<double>(s_days.Select(Seconds).ToArray(), [s_days.Length, 1])),
        "colour" => NamedOnnxValue.CreateFromTensor(input, new DenseTensor<string>(s_colours, [s_colours.Length, 1])),
        _ => throw new ArgumentException(input),
    };

    private static double Seconds(string day) =>
        day.Length == 0 ? double.NaN : (DateTime.Parse(day, CultureInfo.InvariantCulture) - DateTime.UnixEpoch).TotalSeconds;

    private static void AssertClose(double ours, double theirs, double unit, string name) =>
        Assert.True(Math.Abs(ours - theirs) <= Tolerance * unit, $"{name} is {theirs} in OnnxRuntime, and {ours} here.");

    private async Task TrainAsync(params string[] more)
    {
        string[] colours = ["red", "blue", "", "green"];
        var lines = Enumerable.Range(0, 120).Select(i => $"{(i % 9 == 4 ? "" : $"{i * 7 % 31}")},2020-{1 + i % 12:00}-{1 + i * 5 % 28:00},{colours[i * 3 % 4]},{(i * 7 % 31 > 15 ? "many" : "few")}");
        var data = _driver.File("r.csv", $"size,day,colour,amount\n{string.Join('\n', lines)}\n");
        string[] columns = more.Contains("--target") ? ["--ignore", "amount"] : [];
        (await _driver.RunAsync(["train", "--dataset", data, "--name", "r", "--members", "3", "--epochs", "4", .. columns, .. more])).Succeeded();
    }
}
