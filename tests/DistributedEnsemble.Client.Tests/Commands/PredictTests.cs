using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Client.Tests.Commands;

/// <summary>predict and export: what is made of a run after it has trained.</summary>
public sealed class PredictTests : IDisposable
{
    private static readonly string Python = "/usr/bin/python3";
    private readonly TestDriver _driver = new();

    [Fact]
    public async Task Rows_get_a_class_probabilities_and_their_entropy()
    {
        await TrainFlowersAsync();
        var rows = _driver.File("rows.csv", "height,name,width\n1,a,11\n0.5,?,-9\n");

        var json = (await _driver.RunAsync("predict", "flowers", "--input", rows, "--json")).Succeeded().Json.GetProperty("rows");
        var csv = (await _driver.RunAsync("predict", "flowers", "--input", rows)).Succeeded().Out.TrimEnd().Split('\n');

        Assert.Equal(["big, red", "small"], json.EnumerateArray().Select(row => row.GetProperty("label").GetString()));
        Assert.Equal("label,entropy,\"p(big, red)\",p(small)", csv[0]);
        Assert.Equal(3, csv.Length);
        foreach (var (row, line) in json.EnumerateArray().Zip(csv[1..]))
        {
            double[] p = [.. row.GetProperty("probabilities").EnumerateObject().Select(entry => entry.Value.GetDouble())];
            var entropy = row.GetProperty("entropy").GetDouble();
            Assert.Equal(1, p.Sum(), 1e-6);
            Assert.Equal(-p.Sum(x => x * Math.Log(x)), entropy, 1e-6);
            Assert.EndsWith(string.Create(CultureInfo.InvariantCulture, $",{entropy},{(float)p[0]},{(float)p[1]}"), line, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Neither_the_training_data_nor_a_silo_is_needed()
    {
        await TrainFlowersAsync();
        var rows = _driver.File("rows.csv", "width,height\n1,2\n");
        File.Delete(_driver.Place("flowers.csv"));

        (await _driver.RunAsync("predict", "flowers", "--input", rows, "--output", _driver.Place("out.csv"))).Succeeded();

        Assert.Equal(2, File.ReadAllLines(_driver.Place("out.csv")).Length);
    }

    [Fact]
    public async Task What_is_averaged_can_be_chosen()
    {
        await TrainFlowersAsync("--set", "snapshots.perMember=3", "--set", "regularization.dropout.rate=0.2");
        var rows = _driver.File("rows.csv", "width,height\n1,2\n");

        var outputs = new HashSet<string>();
        foreach (var choice in new[] { "--from final", "--from snapshots", "--from snapshots --select last:2", "--members 1", "--mc 3" })
            outputs.Add((await _driver.RunAsync(["predict", "flowers", "--input", rows, .. choice.Split(' ')])).Succeeded().Out);

        Assert.Equal(5, outputs.Count);
    }

    [Fact]
    public async Task Rows_may_ask_no_more_members_than_they_need_and_the_evaluation_says_what_that_costs()
    {
        await TrainFlowersAsync("--set", "data.validationFraction=0.3");
        var rows = _driver.File("rows.csv", "width,height\n1,2\n");

        var early = await _driver.RunAsync("predict", "flowers", "--input", rows, "--early-exit", "0.2");
        var evaluation = (await _driver.RunAsync("evaluate", "flowers", "--early-exit", "0.2")).Succeeded().Out;
        var json = (await _driver.RunAsync("evaluate", "flowers", "--early-exit", "0.2", "--json")).Succeeded().Json.GetProperty("earlyExits");
        var refused = await _driver.RunAsync("predict", "flowers", "--input", rows, "--early-exit", "0.0001");

        var lines = early.Succeeded().Out.Split('\n');
        Assert.EndsWith(",membersUsed", lines[0], StringComparison.Ordinal);
        Assert.Matches(",[12]$", lines[1]);
        Assert.Contains("early exit 0.2: ", evaluation, StringComparison.Ordinal);
        Assert.InRange(json.EnumerateArray().Single(exit => exit.GetProperty("probability").GetDouble() == 0.2).GetProperty("members").GetDouble(), 1, 2);
        Assert.Equal(2, refused.ExitCode);
        Assert.Matches("^early exit is 0.0001: the run's \\d+ validation rows promise no probability below 0.\\d+ of another prediction. Choose a higher one, or 0 to ask all members.\n$", refused.Error);
    }

    [Fact]
    public async Task Columns_that_the_run_does_not_know_are_passed_on_and_cells_may_be_missing()
    {
        await TrainFlowersAsync();
        var rows = _driver.File("rows.csv", "id;height;width\nx1;2,5;1\n\"a, b\";;3\n");

        var lines = (await _driver.RunAsync("predict", "flowers", "--input", rows)).Succeeded().Out.Split('\n');
        var json = (await _driver.RunAsync("predict", "flowers", "--input", rows, "--json")).Succeeded().Json;

        Assert.StartsWith("id,label,entropy,", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("x1,", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("\"a, b\",", lines[2], StringComparison.Ordinal);
        Assert.Equal("a, b", json.GetProperty("rows")[1].GetProperty("columns").GetProperty("id").GetString());
    }

    [Theory]
    [InlineData("width\n1\n", "rows.csv lacks the column \"height\", which the run was trained with. Add it, with empty cells where it is unknown.")]
    [InlineData("width,height\n1,tall\n", "rows.csv, line 2, column 2 (\"height\"): \"tall\" is not a number, and all of the training rows' cells are.")]
    [InlineData("", "rows.csv is empty: a table has rows, and in its first line the names of its columns.")]
    public async Task Rows_that_do_not_fit_leave_no_output(string csv, string error)
    {
        await TrainFlowersAsync();
        var (rows, output) = (_driver.File("rows.csv", csv), _driver.Place("out.csv"));

        (await _driver.RunAsync("predict", "flowers", "--input", rows, "--output", output))
            .Refused(2, error.Replace("rows.csv", rows, StringComparison.Ordinal));

        Assert.False(File.Exists(output));
    }

    [Fact]
    public async Task A_regressions_interval_holds_the_share_of_rows_that_is_asked_for()
    {
        await TrainHousesAsync();
        var rows = _driver.File("rows.csv", "area,day,town,street,sold\n30,,york,s1,no\n70,,,s2,yes\n,,hull,,\n");

        var usual = (await _driver.RunAsync("predict", "houses", "--input", rows, "--json")).Succeeded().Json.GetProperty("rows");
        var half = (await _driver.RunAsync("predict", "houses", "--input", rows, "--coverage", "0.5", "--json")).Succeeded().Json.GetProperty("rows");

        foreach (var (row, narrow) in usual.EnumerateArray().Zip(half.EnumerateArray()))
        {
            Assert.Equal(1.6448536, HalfWidth(row) / Number(row, "standardDeviation"), 1e-3);
            Assert.Equal(0.6744898, HalfWidth(narrow) / Number(narrow, "standardDeviation"), 1e-3);
            Assert.Equal(Number(row, "mean"), Number(narrow, "mean"));
        }

        static double Number(JsonElement row, string name) => row.GetProperty(name).GetDouble();
        static double HalfWidth(JsonElement row) => (Number(row, "upper") - Number(row, "lower")) / 2;
    }

    [Fact]
    public async Task Classes_have_no_interval()
    {
        await TrainFlowersAsync();
        var rows = _driver.File("rows.csv", "width,height\n1,2\n");

        (await _driver.RunAsync("predict", "flowers", "--input", rows, "--coverage", "0.9"))
            .Refused(2, "--coverage is 0.9: only a regression predicts intervals, and this run predicts classes. Predict without it.");
        (await _driver.RunAsync("predict", "flowers", "--input", rows, "--coverage", "90"))
            .Refused(2, "--coverage is 90: a coverage is a number above 0 and below 1. Try `ensemble predict --help`.");
    }

    [Fact]
    public async Task Contradictions_and_missing_files_are_refused()
    {
        await TrainFlowersAsync("--set", "regularization.dropout=null");
        var rows = _driver.File("rows.csv", "width,height\n1,2\n");

        (await _driver.RunAsync("predict", "flowers", "--input", "none.csv"))
            .Refused(2, "--input none.csv does not exist: it takes a table with the columns of the run's data, or images as the run was trained on.");
        (await _driver.RunAsync("predict", "flowers", "--input", rows, "--output", "o.csv", "--json"))
            .Refused(2, "--output writes CSV, and --json prints JSON: give one of the two.");
        (await _driver.RunAsync("predict", "flowers")).Refused(2, "--input, or --out-of-fold, is required. Try `ensemble predict --help`.");
        (await _driver.RunAsync("predict", "flowers", "--input", rows, "--mc", "5"))
            .Refused(2, "--mc is 5: this run's network has no dropout to sample. Choose 0.");
    }

    [Fact]
    public void A_terminal_gets_a_line_per_row_without_control_characters()
    {
        using var writer = new StringWriter();

        var task = new Classification(["red\e[31m", "b", "c"]);
        PredictionWriters.Table(writer, Rendering.Predicted.Of(task, 0.7, 0.1, 0.2, 0.8018, 0, 1, 0, 0));

        Assert.Equal(
            """
            row  label     entropy  probability  next      probability
              1  red [31m   0.8018      70.00 %  c             20.00 %
              2  b          0.0000     100.00 %  red [31m       0.00 %

            """,
            writer.ToString());
    }

    [Fact]
    public async Task An_export_is_complete_and_never_replaces_anything()
    {
        await TrainFlowersAsync();
        var output = _driver.Place("exported");

        var manifest = (await _driver.RunAsync("export", "flowers", "--output", output, "--json")).Succeeded().Json;

        Assert.Equal(manifest.GetRawText(), JsonSerializer.Serialize(JsonElement.Parse(File.ReadAllText(Path.Combine(output, "manifest.json"))), RunStatusJson.Options));
        var named = manifest.GetProperty("constituents").EnumerateArray().Concat(manifest.GetProperty("files").EnumerateArray())
            .Select(file => file.GetProperty("file").GetString()!);
        var present = Directory.EnumerateFiles(output, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(output, path));
        Assert.Equal(named.Append("manifest.json").Order(), present.Order());
        (await _driver.RunAsync("export", "flowers", "--output", output))
            .Refused(2, $"--output {output} is not empty: take a new folder, or an empty one.");
    }

    [Fact]
    public async Task A_damaged_snapshot_is_never_exported()
    {
        await TrainFlowersAsync();
        var snapshot = Directory.EnumerateFiles(Path.Combine(_driver.RunsFolder, "flowers"), "step-*.safetensors", SearchOption.AllDirectories).First();
        var bytes = File.ReadAllBytes(snapshot);
        bytes[^1] ^= 1;
        File.WriteAllBytes(snapshot, bytes);

        var outcome = await _driver.RunAsync("export", "flowers", "--output", _driver.Place("exported"));

        Assert.Equal(1, outcome.ExitCode);
        Assert.StartsWith($"{snapshot} is damaged: the sha256 of its data is ", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(_driver.Place(".")), path => path.Contains("exported", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--dataset digits --set model.kind=lenet --set regularization.dropout.rate=0.3 --set regularization.dropout.kind=vanilla")]
    [InlineData("--dataset digits --set model.kind=resnet --set model.depth=8 --set model.width=4 --set prediction.select=greedy --set snapshots.perMember=2 --set prediction.from=snapshots")]
    [InlineData("--dataset two-moons --set snapshots.perMember=2 --set prediction.from=snapshots")]
    public async Task Python_with_numpy_predicts_the_same_from_an_export(string options)
    {
        Assert.SkipUnless(HasNumpy(), $"{Python} has no numpy.");
        (await _driver.RunAsync(["train", "--name", "r", "--members", "2", "--epochs", "2", .. options.Split(' ')])).Succeeded();
        var columns = JsonElement.Parse(File.ReadAllText(Path.Combine(_driver.RunsFolder, "r", "data.json"))).GetProperty("columns")
            .EnumerateArray().Select(name => name.GetString()).ToList();
        var random = new Random(1);
        var lines = Enumerable.Range(0, 600).Select(_ => string.Join(',', columns.Select(_ => random.Next(17))));
        var rows = _driver.File("rows.csv", $"{string.Join(',', columns)}\n{string.Join('\n', lines)}\n");
        (await _driver.RunAsync("export", "r", "--output", _driver.Place("exported"))).Succeeded();

        var ours = Table((await _driver.RunAsync("predict", "r", "--input", rows)).Succeeded().Out);
        var theirs = Table((await RunPythonAsync(Repository.File("docs", "predict.py"), _driver.Place("exported"), rows)).Output);

        Assert.Equal(ours.Header, theirs.Header);
        Assert.Equal(600, theirs.Rows.Count);
        AssertNear(ours, theirs);
    }

    [Theory]
    [InlineData("--target price --ignore sold", 0)]
    [InlineData("--target price --ignore sold --set training.likelihood=squared-error", 0)]
    [InlineData("--target sold --ignore price", 1)]
    [InlineData("--target price --ignore sold --set model.kind=tabm --set model.submodels=3 --set model.numericEmbedding=piecewise-linear", 0)]
    [InlineData("--target sold --ignore price --set model.kind=tabm --set model.submodels=3 --set model.numericEmbedding=piecewise-linear", 1)]
    public async Task Python_with_numpy_encodes_the_columns_of_a_mixed_table_as_the_run_does(string options, int firstNumber)
    {
        Assert.SkipUnless(HasNumpy(), $"{Python} has no numpy.");
        await TrainHousesAsync(options.Split(' '));
        (await _driver.RunAsync("export", "houses", "--output", _driver.Place("exported"))).Succeeded();
        var rows = _driver.File(
            "rows.csv", "street,day,town,area\ns3,2024-02-29T13:00:00,york,31.5\ns17,?,,NA\nunseen,2019-12-31T00:00:00,unseen,-\n,2024-07-01T05:00:00,hull,90\n");

        var ours = Table((await _driver.RunAsync("predict", "houses", "--input", rows)).Succeeded().Out, firstNumber);
        var theirs = Table((await RunPythonAsync(Repository.File("docs", "predict.py"), _driver.Place("exported"), rows)).Output, firstNumber);

        Assert.Equal(ours.Header, theirs.Header);
        Assert.Equal(4, theirs.Rows.Count);
        AssertNear(ours, theirs);
    }

    [Fact]
    public async Task Python_with_numpy_reads_decimal_commas_and_the_dates_of_the_run_and_tells_what_it_does_not_take()
    {
        Assert.SkipUnless(HasNumpy(), $"{Python} has no numpy.");
        const string Header = "gebaut;fläche;wann;preis\n";
        var data = _driver.File("wohnungen.csv", Header + string.Concat(Enumerable.Range(0, 60).Select(i =>
            $"{1 + i % 28}.{1 + i % 12}.{1990 + i % 30};{(i % 9 == 4 ? "" : $"{i * i % 97},5")};{i % 24}:{i % 60:00};{1 + i % 7}.{i * i % 97:000},25\n")));
        (await _driver.RunAsync("train", "--dataset", data, "--target", "preis", "--name", "r", "--members", "2", "--epochs", "5")).Succeeded();
        (await _driver.RunAsync("export", "r", "--output", _driver.Place("exported"))).Succeeded();
        var rows = _driver.File("rows.csv", "wann;gebaut;fläche\n7:05;3.2.2001;12,5\n23:59;2004-02-29;1.000,25\n;?;-\n");

        var ours = Table((await _driver.RunAsync("predict", "r", "--input", rows)).Succeeded().Out, 0);
        var theirs = Table((await RunPythonAsync(Repository.File("docs", "predict.py"), _driver.Place("exported"), rows)).Output, 0);

        Assert.Equal(3, theirs.Rows.Count);
        AssertNear(ours, theirs);
        Assert.Equal(
            $"{_driver.Place("odd.csv")}, line 2, column 'gebaut': 'gestern' is not a date that this reader takes.\n",
            await RefusalAsync("wann;gebaut;fläche\n7:05;gestern;12,5\n"));
        Assert.Equal($"{_driver.Place("odd.csv")}, line 2, column 'fläche': 'groß' is not a number.\n", await RefusalAsync("wann;gebaut;fläche\n7:05;3.2.2001;groß\n"));
        Assert.Equal($"{_driver.Place("odd.csv")} is Parquet, and this reader takes text: write the rows as CSV, or ask `ensemble predict`.\n", await RefusalAsync("PAR1…PAR1"));

        async Task<string> RefusalAsync(string odd)
        {
            using var python = Process.Start(new ProcessStartInfo(
                Python, [Repository.File("docs", "predict.py"), _driver.Place("exported"), _driver.File("odd.csv", odd)]) { RedirectStandardError = true })!;
            var error = await python.StandardError.ReadToEndAsync();
            await python.WaitForExitAsync();
            return error;
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("utf-16")]
    [InlineData("single quotes")]
    [InlineData("comments")]
    [InlineData("sep=")]
    [InlineData("no header")]
    public async Task Python_with_numpy_reads_the_files_that_the_run_reads(string form)
    {
        Assert.SkipUnless(HasNumpy(), $"{Python} has no numpy.");
        var hasHeader = form != "no header";
        var data = _driver.File("data.csv", (hasHeader ? "width,kind,y\n" : "") + string.Concat(Enumerable.Range(0, 60).Select(i => $"{i * i % 17}.5,{(i % 3 == 0 ? "a;b" : "c")},{i % 2}\n")));
        (await _driver.RunAsync("train", "--dataset", data, "--name", "r", "--members", "2", "--epochs", "3", "--target", hasHeader ? "y" : "column3")).Succeeded();
        (await _driver.RunAsync("export", "r", "--output", _driver.Place("exported"))).Succeeded();
        const string Body = "1.5,a;b\n9.5,c\n3.5,?\n";
        var text = form switch
        {
            "single quotes" => "width;kind\n1.5;'a;b'\n9.5;'c'\n3.5;'?'\n",
            "comments" => $"# Measured in May.\n\n#\nwidth,kind\n{Body}",
            "sep=" => "sep=;\nwidth;kind\n1.5;\"a;b\"\n9.5;c\n3.5;\n",
            "no header" => Body,
            _ => $"width,kind\n{Body}",
        };
        var rows = _driver.File("rows.csv", text);
        if (form == "utf-16") File.WriteAllText(rows, text, System.Text.Encoding.Unicode);
        if (form == "gzip")
        {
            using var packed = new System.IO.Compression.GZipStream(File.Create(rows), System.IO.Compression.CompressionLevel.Fastest);
            packed.Write(System.Text.Encoding.UTF8.GetBytes(text));
        }

        var ours = Table((await _driver.RunAsync("predict", "r", "--input", rows)).Succeeded().Out);
        var theirs = Table((await RunPythonAsync(Repository.File("docs", "predict.py"), _driver.Place("exported"), rows)).Output);

        Assert.Equal(3, theirs.Rows.Count);
        AssertNear(ours, theirs);
    }

    [Fact]
    public async Task Python_with_numpy_scales_the_weights_of_a_run_that_averages_over_masks_and_says_so()
    {
        Assert.SkipUnless(HasNumpy(), $"{Python} has no numpy.");
        (await _driver.RunAsync(
            "train", "--dataset", "two-moons", "--name", "r", "--members", "2", "--epochs", "2", "--set", "regularization.dropout.rate=0.5",
            "--set", "prediction.monteCarloSamples=7")).Succeeded();
        var rows = _driver.File("rows.csv", "x,y\n1,0.5\n-1,1\n0,0\n");
        (await _driver.RunAsync("export", "r", "--output", _driver.Place("exported"))).Succeeded();

        var scaled = Table((await _driver.RunAsync("predict", "r", "--input", rows, "--mc", "0")).Succeeded().Out);
        var (output, error) = await RunPythonAsync(Repository.File("docs", "predict.py"), _driver.Place("exported"), rows);

        Assert.Equal("Dropout by weight scaling: `ensemble predict` averages over 7 masks, unless --mc is 0.\n", error);
        AssertNear(scaled, Table(output));
    }

    public void Dispose() => _driver.Dispose();

    private async Task TrainFlowersAsync(params string[] more)
    {
        var lines = Enumerable.Range(0, 60).Select(i => i % 2 == 0 ? $"{10 + i % 7},{i % 5},\"big, red\"" : $"{-10 + i % 7},{i % 5},small");
        var data = _driver.File("flowers.csv", $"width,height,name\n{string.Join('\n', lines)}\n");
        (await _driver.RunAsync(["train", "--dataset", data, "--name", "flowers", "--members", "2", "--epochs", "5", .. more])).Succeeded();
    }

    /// <summary>Numbers and times that rows lack, categories with an input for each level and with a vector for each.</summary>
    private async Task TrainHousesAsync(params string[] more)
    {
        var lines = Enumerable.Range(0, 200).Select(i =>
            $"{(i % 9 == 4 ? "" : $"{20 + i * i % 97}")},{(i % 11 == 2 ? "" : $"20{10 + i % 14}-{1 + i % 12:00}-{1 + i % 28:00}T{i % 24:00}:00:00")},"
            + $"{(i % 13 == 5 ? "" : (i % 3) switch { 0 => "york", 1 => "bath", _ => "hull" })},s{i * 7 % 23},{150000 + 900 * (i * i % 97) + 20000 * (i % 3)},"
            + $"{(i * i % 97 > 48 ? "yes" : "no")}");
        var data = _driver.File("houses.csv", $"area,day,town,street,price,sold\n{string.Join('\n', lines)}\n");
        if (more.Length == 0) more = ["--target", "price"];
        (await _driver.RunAsync(["train", "--dataset", data, "--name", "houses", "--members", "2", "--epochs", "5", .. more])).Succeeded();
    }

    /// <summary>The numbers of a CSV of predictions, which begin after the label.</summary>
    private static (string Header, List<double[]> Rows) Table(string csv, int firstNumber = 1)
    {
        var lines = csv.TrimEnd().Split('\n');
        return (lines[0], [.. lines[1..].Select(line => line.Split(',')[firstNumber..].Select(cell => double.Parse(cell, CultureInfo.InvariantCulture)).ToArray())]);
    }

    private static bool HasNumpy()
    {
        if (!File.Exists(Python)) return false;
        using var process = Process.Start(new ProcessStartInfo(Python, ["-c", "import numpy"]) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static void AssertNear((string Header, List<double[]> Rows) ours, (string Header, List<double[]> Rows) theirs)
    {
        Assert.Equal(ours.Rows.Count, theirs.Rows.Count);
        foreach (var (our, their) in ours.Rows.Zip(theirs.Rows))
        {
            // Float32 moments: what a mixture's parts lose, they lose of the row's largest number.
            var scale = Math.Max(1, our.Max(Math.Abs));
            foreach (var (a, b) in our.Zip(their)) Assert.Equal(a, b, 1e-5 * scale);
        }
    }

    private static async Task<(string Output, string Error)> RunPythonAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Python, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, await error);
        return (await output, await error);
    }
}
