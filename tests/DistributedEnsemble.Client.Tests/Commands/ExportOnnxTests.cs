using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace DistributedEnsemble.Client.Tests.Commands;

public sealed class ExportOnnxTests : IDisposable
{
    /// <summary>Signatures, types' names and shapes are OnnxRuntime's: a number of rows that is open is a text.</summary>
    private const string StandIn = """
        import numpy


        class NodeArg:
            def __init__(self, name, type, shape):
                self.name, self.type, self.shape = name, type, shape


        class ModelMetadata:
            def __init__(self, custom_metadata_map):
                self.custom_metadata_map = custom_metadata_map


        class InferenceSession:
            def __init__(self, path_or_bytes):
                open(path_or_bytes, "rb").close()

            def get_inputs(self):
                return [NodeArg("size", "tensor(double)", ["rows", 1]), NodeArg("day", "tensor(double)", ["rows", 1]), NodeArg("colour", "tensor(string)", ["rows", 1])]

            def get_modelmeta(self):
                return ModelMetadata(PROPERTIES)

            def get_outputs(self):
                return [NodeArg("label", "tensor(string)", ["rows"]), NodeArg("probabilities", "tensor(float)", ["rows", 2]), NodeArg("entropy", "tensor(float)", ["rows"])]

            def run(self, output_names, input_feed):
                assert output_names == ["label", "probabilities", "entropy"], output_names
                assert {name: (value.dtype, value.shape) for name, value in input_feed.items()} == {
                    "size": (numpy.float64, (3, 1)), "day": (numpy.float64, (3, 1)), "colour": (numpy.dtype(object), (3, 1))}, input_feed
                numpy.testing.assert_array_equal(input_feed["size"], [[3.5], [numpy.nan], [11]])
                numpy.testing.assert_array_equal(input_feed["day"], [[1577836800], [1580000000], [numpy.nan]])
                assert input_feed["colour"].tolist() == [["red"], [""], ["violet"]]
                return [numpy.array(LABELS, dtype=object), numpy.array([[0.25, 0.75]] * 3, dtype=numpy.float32), numpy.array([0.5] * 3, dtype=numpy.float32)]

        """;

    private static readonly string[] s_sample = ["Program.cs", "OnnxConsole.csproj"];

    private readonly TestDriver _driver = new();

    [Fact]
    public async Task A_run_is_one_file_whose_bytes_are_the_same_again()
    {
        await TrainAsync();
        var (first, second) = (_driver.Place("a.onnx"), _driver.Place("b.onnx"));

        var json = (await _driver.RunAsync("export", "r", "--format", "onnx", "--output", first, "--json")).Succeeded().Json;
        var line = (await _driver.RunAsync("export", "r", "--format", "onnx", "--output", second)).Succeeded().Out;

        Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(second));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(first))), json.GetProperty("sha256").GetString());
        Assert.Equal(2, json.GetProperty("constituents").GetArrayLength());
        Assert.Equal(
            $"2 models of run r in {second}: from size, day, colour to label, probabilities, entropy, mutual_information, calibrated_probabilities, calibrated_entropy.\n", line);
    }

    [Fact]
    public async Task A_single_model_is_the_one_that_validation_found_best()
    {
        await TrainAsync();
        var evaluated = (await _driver.RunAsync("evaluate", "r", "--json")).Succeeded().Json;
        var fit = JsonElement.Parse(File.ReadAllText(Directory.EnumerateFiles(Path.Combine(_driver.RunsFolder, "r", "validation")).First()));
        var best = fit.GetProperty("constituents").EnumerateArray().MinBy(model => model.GetProperty("nll").GetDouble()).GetProperty("model").GetProperty("sha256").GetString();

        var json = (await _driver.RunAsync("export", "r", "--format", "onnx", "--single", "--output", _driver.Place("one.onnx"), "--json")).Succeeded().Json;

        Assert.Equal(JsonValueKind.Object, evaluated.ValueKind);
        Assert.Equal(best, Assert.Single(json.GetProperty("constituents").EnumerateArray()).GetProperty("sha256").GetString());
    }

    [Theory]
    [InlineData("--format", "pickle", "--format is pickle: it is one of safetensors, onnx. Try `ensemble export --help`.")]
    [InlineData("--single", "--output=x", "--single is of --format onnx: safetensors are chosen with --members and --select.")]
    [InlineData("--format", "safetensors", "--output is missing: it takes a folder for the safetensors and their manifest. (--format onnx writes one file.)")]
    [InlineData("--format=onnx", "--mc=4", "--mc is 4: an ONNX file has dropout's expectation in it. Choose 0 for this file.")]
    [InlineData("--format=onnx", "--output=.", "--output . is a folder: with --format onnx it takes the name of a file.")]
    public async Task What_cannot_be_exported_is_said_in_one_line(string first, string second, string error)
    {
        await TrainAsync("--set", "regularization.dropout.rate=0.2", "--epochs", "1");

        (await _driver.RunAsync("export", "r", first, second)).Refused(2, error);
    }

    [Fact]
    public async Task Masks_that_the_run_s_spec_asks_for_are_named_as_its_own()
    {
        await TrainAsync("--set", "regularization.dropout.rate=0.2", "--set", "prediction.monteCarloSamples=5", "--epochs", "1");

        (await _driver.RunAsync("export", "r", "--format", "onnx")).Refused(
            2, "This run's spec has prediction.monteCarloSamples=5: an ONNX file has dropout's expectation in it. Choose --mc 0 for this file.");
    }

    [Fact]
    public async Task The_sample_predicts_with_nothing_but_OnnxRuntime()
    {
        await TrainAsync();
        var rows = _driver.File("rows.csv", "size,day,colour\n3.5,1577836800,red\n,1580000000,\n11,,violet\n0,1600000000,blue\n");
        var ours = _driver.File("ours.csv", "size,day,colour\n3.5,2020-01-01,red\n,2020-01-26 00:53:20,\n11,,violet\n0,2020-09-13 12:26:40,blue\n");
        // All numbers in one matrix, a column of whose name it is called; and one that is called as an output.
        var matrix = _driver.File("rows-matrix.csv", "goal,extra,input,b\n,x,3,1.5\n,y,,\n");
        await TrainOnAsync("matrix", "b,input,goal", (i, size, goal) => $"{i % 13},{size},{goal}");
        var named = _driver.File("rows-named.csv", "colour,label\nred,3\nviolet,\n");
        await TrainOnAsync("named", "label,colour,goal", (i, size, goal) => $"{size},{(i % 3 == 1 ? "red" : "blue")},{goal}");

        Directory.CreateDirectory(_driver.Place("sample"));
        foreach (var file in s_sample) File.Copy(Repository.File("samples", "OnnxConsole", file), Path.Combine(_driver.Place("sample"), file));
        await Programs.RunAsync("dotnet", "build", "--verbosity", "quiet", "-p:UseSharedCompilation=false", "-nodeReuse:false", "--output", _driver.Place("built"), _driver.Place("sample"));

        await CompareAsync("r", rows, ours, 4);
        await CompareAsync("matrix", matrix, matrix, 2);
        await CompareAsync("named", named, named, 2);
        // Files of versions that did not name the columns.
        var other = _driver.File("rows-r.csv", "colour,size,extra,day\nred,3.5,x,1577836800\n,,,1580000000\nviolet,11,x,\nblue,0,x,1600000000\n");
        await CompareAsync("r", other, ours, 4, isOld: true);
        var only = _driver.File("rows-only.csv", "b,input\n1.5,3\n,\n");
        await CompareAsync("matrix", only, only, 2, isOld: true);
        foreach (var isOld in new[] { true, false })
            Assert.Equal((1, "", $"{only} lacks the column size.\n"), await Programs.EndAsync(new ProcessStartInfo("dotnet", [Path.Combine(_driver.Place("built"), "OnnxConsole.dll"), await ExportAsync("r", isOld), only])));

        async Task TrainOnAsync(string name, string head, Func<int, int, string, string> row)
        {
            var lines = Enumerable.Range(0, 120).Select(i => row(i, i * 7 % 31, i * 7 % 31 > 15 ? "many" : "few"));
            (await _driver.RunAsync("train", "--dataset", _driver.File($"{name}.csv", $"{head}\n{string.Join('\n', lines)}\n"), "--target", "goal", "--name", name, "--members", "2", "--epochs", "4")).Succeeded();
        }

        async Task CompareAsync(string run, string rows, string ours, int count, bool isOld = false)
        {
            var theirs = (await Programs.RunAsync("dotnet", Path.Combine(_driver.Place("built"), "OnnxConsole.dll"), await ExportAsync(run, isOld), rows)).Output.TrimEnd().Split('\n');
            var expected = (await _driver.RunAsync("predict", run, "--input", ours, "--json")).Succeeded().Json.GetProperty("rows").EnumerateArray().ToArray();

            Assert.Equal(count, theirs.Length);
            foreach (var (line, row) in theirs.Zip(expected))
            {
                var values = line.Split(' ').Select(part => part.Split('=')).ToDictionary(part => part[0], part => part[1]);
                Assert.Equal(row.GetProperty("label").GetString(), values["label"]);
                Assert.Equal(row.GetProperty("entropy").GetDouble(), double.Parse(values["entropy"], CultureInfo.InvariantCulture), 1e-5);
                Assert.Equal(row.GetProperty("probabilities").EnumerateObject().Select(p => p.Value.GetDouble()), values["probabilities"].Split(',').Select(p => double.Parse(p, CultureInfo.InvariantCulture)), (a, b) => Math.Abs(a - b) < 1e-5);
            }
        }
    }

    /// <summary>OnnxRuntime for Python comes from a registry of its own: its classes are stood for, and take and give what it takes and gives here.</summary>
    [Fact]
    public async Task The_sample_in_Python_gives_a_session_what_it_takes()
    {
        await Programs.SkipUnlessPythonHasAsync("numpy");
        await TrainAsync();
        var rows = _driver.File("rows.csv", "colour,size,extra,day\nred,3.5,x,1577836800\n,,,1580000000\nviolet,11,x,\n");
        (await _driver.RunAsync("export", "r", "--format", "onnx", "--output", _driver.Place("r.onnx"))).Succeeded();
        using var session = new InferenceSession(_driver.Place("r.onnx"));
        using var answers = session.Run([
            NamedOnnxValue.CreateFromTensor("size", new DenseTensor<double>(new[] { 3.5, double.NaN, 11 }, [3, 1])),
            NamedOnnxValue.CreateFromTensor("day", new DenseTensor<double>(new[] { 1577836800, 1580000000, double.NaN }, [3, 1])),
            NamedOnnxValue.CreateFromTensor("colour", new DenseTensor<string>(new[] { "red", "", "violet" }, [3, 1]))]);
        var labels = answers.Single(answer => answer.Name == "label").AsEnumerable<string>().ToArray();
        // A file names the table's columns, but for those of versions that did not.
        foreach (var properties in new[] { """{"columns": '["size","day","colour"]'}""", "{}" })
        {
            _driver.File("onnxruntime.py", StandIn.Replace("LABELS", JsonSerializer.Serialize(labels)).Replace("PROPERTIES", properties));

            var lines = (await Programs.RunAsync(Predict(rows))).Output.TrimEnd().Split('\n');
            var lacks = await Programs.EndAsync(Predict(_driver.File("only.csv", "day,size\n1,2\n")));

            Assert.Equal(labels.Select(label => $"{{'label': '{label}', 'probabilities': [0.25, 0.75], 'entropy': 0.5}}"), lines);
            Assert.Equal((1, "", $"{_driver.Place("only.csv")} lacks the column colour.\n"), lacks);
        }

        ProcessStartInfo Predict(string rows) => OfPython(Repository.File("samples", "onnx-python", "predict.py"), _driver.Place("r.onnx"), rows);
    }

    [Theory]
    [InlineData("--dataset=digits", "--set=model.kind=resnet", "--set=model.depth=8")]
    [InlineData("--set=model.kind=tabm", "--set=model.numericEmbedding=piecewise-linear")]
    [InlineData("--target=size", "--set=training.likelihood=gaussian")]
    public async Task The_checker_of_an_old_ONNX_finds_nothing_wrong(params string[] training)
    {
        await Programs.SkipUnlessPythonHasAsync("onnx");
        await TrainAsync([.. training, "--epochs", "1"]);
        (await _driver.RunAsync("export", "r", "--format", "onnx", "--output", _driver.Place("r.onnx"))).Succeeded();

        var said = await Programs.RunAsync(OfPython("-c", "import onnx, sys; onnx.checker.check_model(sys.argv[1], full_check=True); print(onnx.load(sys.argv[1]).ir_version)", _driver.Place("r.onnx")));

        Assert.Equal("8\n", said.Output);
    }

    public void Dispose() => _driver.Dispose();

    private async Task TrainAsync(params string[] more)
    {
        string[] colours = ["red", "blue", "", "green"];
        var lines = Enumerable.Range(0, 120).Select(i => $"{(i % 9 == 4 ? "" : $"{i * 7 % 31}")},2020-{1 + i % 12:00}-{1 + i * 5 % 28:00},{colours[i * 3 % 4]},{(i * 7 % 31 > 15 ? "many" : "few")}");
        var data = _driver.File("r.csv", $"size,day,colour,amount\n{string.Join('\n', lines)}\n");
        var given = more.Any(argument => argument.StartsWith("--dataset", StringComparison.Ordinal)) ? (string[])[] : ["--dataset", data];
        (await _driver.RunAsync(["train", .. given, "--name", "r", "--members", "2", .. more.Contains("--epochs") ? more : ["--epochs", "4", .. more]])).Succeeded();
    }

    /// <param name="isOld">As versions wrote it that did not name the columns.</param>
    private async Task<string> ExportAsync(string run, bool isOld)
    {
        var file = _driver.Place("r.onnx");
        (await _driver.RunAsync("export", run, "--format", "onnx", "--output", file)).Succeeded();
        if (!isOld) return file;
        var bytes = File.ReadAllBytes(file);
        var place = bytes.AsSpan().IndexOf("columns"u8);
        "unknown"u8.CopyTo(bytes.AsSpan(place));
        Assert.Equal(-1, bytes.AsSpan().IndexOf("columns"u8));
        File.WriteAllBytes(file, bytes);
        return file;
    }

    private ProcessStartInfo OfPython(params string[] arguments)
    {
        var start = new ProcessStartInfo(Programs.Python, arguments);
        start.Environment["PYTHONPATH"] = Path.GetDirectoryName(_driver.RunsFolder);
        return start;
    }
}
