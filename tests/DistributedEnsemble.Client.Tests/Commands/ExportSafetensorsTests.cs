using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Client.Tests.Commands;

/// <summary>What is exported as safetensors, and the program that reads it with nothing but numpy.</summary>
public sealed class ExportSafetensorsTests : IDisposable
{
    private static readonly string s_reader = Repository.File("samples", "safetensors-python", "predict.py");

    private readonly TestDriver _driver = new();

    [Fact]
    public async Task An_export_is_complete_and_never_replaces_anything()
    {
        await _driver.TrainFlowersAsync();
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
        await _driver.TrainFlowersAsync();
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
        await Programs.SkipUnlessPythonHasAsync("numpy");
        (await _driver.RunAsync(["train", "--name", "r", "--members", "2", "--epochs", "2", .. options.Split(' ')])).Succeeded();
        var columns = JsonElement.Parse(File.ReadAllText(Path.Combine(_driver.RunsFolder, "r", "data.json"))).GetProperty("columns")
            .EnumerateArray().Select(name => name.GetString()).ToList();
        var random = new Random(1);
        var lines = Enumerable.Range(0, 600).Select(_ => string.Join(',', columns.Select(_ => random.Next(17))));
        var rows = _driver.File("rows.csv", $"{string.Join(',', columns)}\n{string.Join('\n', lines)}\n");
        (await _driver.RunAsync("export", "r", "--output", _driver.Place("exported"))).Succeeded();

        var ours = Table((await _driver.RunAsync("predict", "r", "--input", rows)).Succeeded().Out);
        var theirs = Table((await Programs.RunAsync(Programs.Python, s_reader, _driver.Place("exported"), rows)).Output);

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
        await Programs.SkipUnlessPythonHasAsync("numpy");
        await _driver.TrainHousesAsync(options.Split(' '));
        (await _driver.RunAsync("export", "houses", "--output", _driver.Place("exported"))).Succeeded();
        var rows = _driver.File(
            "rows.csv", "street,day,town,area\ns3,2024-02-29T13:00:00,york,31.5\ns17,?,,NA\nunseen,2019-12-31T00:00:00,unseen,-\n,2024-07-01T05:00:00,hull,90\n");

        var ours = Table((await _driver.RunAsync("predict", "houses", "--input", rows)).Succeeded().Out, firstNumber);
        var theirs = Table((await Programs.RunAsync(Programs.Python, s_reader, _driver.Place("exported"), rows)).Output, firstNumber);

        Assert.Equal(ours.Header, theirs.Header);
        Assert.Equal(4, theirs.Rows.Count);
        AssertNear(ours, theirs);
    }

    [Fact]
    public async Task Python_with_numpy_reads_decimal_commas_and_the_dates_of_the_run_and_tells_what_it_does_not_take()
    {
        await Programs.SkipUnlessPythonHasAsync("numpy");
        const string Header = "gebaut;fläche;wann;preis\n";
        var data = _driver.File("wohnungen.csv", Header + string.Concat(Enumerable.Range(0, 60).Select(i =>
            $"{1 + i % 28}.{1 + i % 12}.{1990 + i % 30};{(i % 9 == 4 ? "" : $"{i * i % 97},5")};{i % 24}:{i % 60:00};{1 + i % 7}.{i * i % 97:000},25\n")));
        (await _driver.RunAsync("train", "--dataset", data, "--target", "preis", "--name", "r", "--members", "2", "--epochs", "5")).Succeeded();
        (await _driver.RunAsync("export", "r", "--output", _driver.Place("exported"))).Succeeded();
        var rows = _driver.File("rows.csv", "wann;gebaut;fläche\n7:05;3.2.2001;12,5\n23:59;2004-02-29;1.000,25\n;?;-\n");

        var ours = Table((await _driver.RunAsync("predict", "r", "--input", rows)).Succeeded().Out, 0);
        var theirs = Table((await Programs.RunAsync(Programs.Python, s_reader, _driver.Place("exported"), rows)).Output, 0);

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
                Programs.Python, [s_reader, _driver.Place("exported"), _driver.File("odd.csv", odd)]) { RedirectStandardError = true })!;
            var error = await python.StandardError.ReadToEndAsync();
            await python.WaitForExitAsync();
            return error;
        }
    }

    [Theory]
    [InlineData("12k 1.5M 800 €7k", "€12K 2M 300", "12.5k,1500000,2.5M")]
    [InlineData("20240105 20240217 20231231", "20240105.0 20240301", "20240229,2024-02-29,20240105.0")]
    [InlineData("36:15 7:05 120:59", "36:15 8:00", "36:15,0:05,99:59")]
    [InlineData("36:15 1:02:15 59:30", "36:15 1:02:15", "36:15,0:36:15,99:59:59")]
    public async Task Python_with_numpy_reads_numbers_written_short_days_in_digits_and_durations(string first, string second, string asked)
    {
        await Programs.SkipUnlessPythonHasAsync("numpy");
        var (one, other) = (first.Split(' '), second.Split(' '));
        var data = _driver.File("data.csv", "a,b,y\n" + string.Concat(Enumerable.Range(0, 60).Select(i => $"{one[i % one.Length]},{other[i % other.Length]},{i * 7 % 13}.5\n")));
        (await _driver.RunAsync("train", "--dataset", data, "--target", "y", "--name", "r", "--members", "2", "--epochs", "3")).Succeeded();
        (await _driver.RunAsync("export", "r", "--output", _driver.Place("exported"))).Succeeded();
        var rows = _driver.File("rows.csv", "a,b\n" + string.Concat(asked.Split(',').Select(cell => $"{cell},{cell}\n")));

        var ours = Table((await _driver.RunAsync("predict", "r", "--input", rows)).Succeeded().Out, 0);
        var theirs = Table((await Programs.RunAsync(Programs.Python, s_reader, _driver.Place("exported"), rows)).Output, 0);

        Assert.Equal(3, theirs.Rows.Count);
        AssertNear(ours, theirs);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("utf-16")]
    [InlineData("utf-16 without a mark")]
    [InlineData("dashes")]
    [InlineData("single quotes")]
    [InlineData("comments")]
    [InlineData("sep=")]
    [InlineData("no header")]
    [InlineData("blanks")]
    [InlineData("words and brackets")]
    [InlineData("windows-1252")]
    public async Task Python_with_numpy_reads_the_files_that_the_run_reads(string form)
    {
        await Programs.SkipUnlessPythonHasAsync("numpy");
        var hasHeader = form != "no header";
        var data = _driver.File("data.csv", (hasHeader ? "width,kind,y\n" : "") + string.Concat(Enumerable.Range(0, 60).Select(i => $"{(i % 10 == 3 ? "unknown" : $"{i * 7 % 31}.5")},{(i % 3 == 0 ? "a;b" : "née")},{i % 2}\n")));
        (await _driver.RunAsync("train", "--dataset", data, "--name", "r", "--members", "2", "--epochs", "3", "--target", hasHeader ? "y" : "column3")).Succeeded();
        (await _driver.RunAsync("export", "r", "--output", _driver.Place("exported"))).Succeeded();
        const string Body = "1.5,a;b\n9.5,née\n3.5,?\n";
        var text = form switch
        {
            "single quotes" => "width;kind\n1.5;'a;b'\n9.5;'née'\n3.5;'?'\n",
            "comments" => $"# Measured in May.\n\n#\nwidth,kind\n{Body}",
            "sep=" => "sep=;\nwidth;kind\n1.5;\"a;b\"\n9.5;née\n3.5;\n",
            "no header" => Body,
            "dashes" => "width | kind\n---|:-:\n1.5 | a;b\n9.5 | née\n3.5 | ?\n",
            "blanks" => "width kind\n  1.5   a;b\n 9.5\tnée  \n 3.5 ?\n",
            "words and brackets" => "width,kind\nunknown,a;b\n(9.5),née\n#N/A,<NA>\n",
            _ => $"width,kind\n{Body}",
        };
        var rows = _driver.File("rows.csv", text);
        if (form == "windows-1252") File.WriteAllText(rows, text, System.Text.Encoding.Latin1);
        if (form == "utf-16") File.WriteAllText(rows, text, System.Text.Encoding.Unicode);
        if (form == "utf-16 without a mark") File.WriteAllBytes(rows, System.Text.Encoding.Unicode.GetBytes(text));
        if (form == "gzip")
        {
            using var packed = new System.IO.Compression.GZipStream(File.Create(rows), System.IO.Compression.CompressionLevel.Fastest);
            packed.Write(System.Text.Encoding.UTF8.GetBytes(text));
        }

        var ours = Table((await _driver.RunAsync("predict", "r", "--input", rows)).Succeeded().Out);
        var theirs = Table((await Programs.RunAsync(Programs.Python, s_reader, _driver.Place("exported"), rows)).Output);

        Assert.Equal(3, theirs.Rows.Count);
        AssertNear(ours, theirs);
    }

    [Fact]
    public async Task Python_with_numpy_scales_the_weights_of_a_run_that_averages_over_masks_and_says_so()
    {
        await Programs.SkipUnlessPythonHasAsync("numpy");
        (await _driver.RunAsync(
            "train", "--dataset", "two-moons", "--name", "r", "--members", "2", "--epochs", "2", "--set", "regularization.dropout.rate=0.5",
            "--set", "prediction.monteCarloSamples=7")).Succeeded();
        var rows = _driver.File("rows.csv", "x,y\n1,0.5\n-1,1\n0,0\n");
        (await _driver.RunAsync("export", "r", "--output", _driver.Place("exported"))).Succeeded();

        var scaled = Table((await _driver.RunAsync("predict", "r", "--input", rows, "--mc", "0")).Succeeded().Out);
        var (output, error) = await Programs.RunAsync(Programs.Python, s_reader, _driver.Place("exported"), rows);

        Assert.Equal("Dropout by weight scaling: `ensemble predict` averages over 7 masks, unless --mc is 0.\n", error);
        AssertNear(scaled, Table(output));
    }

    public void Dispose() => _driver.Dispose();

    /// <summary>The numbers of a CSV of predictions, which begin after the label.</summary>
    private static (string Header, List<double[]> Rows) Table(string csv, int firstNumber = 1)
    {
        var lines = csv.TrimEnd().Split('\n');
        return (lines[0], [.. lines[1..].Select(line => line.Split(',')[firstNumber..].Select(cell => double.Parse(cell, CultureInfo.InvariantCulture)).ToArray())]);
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
}
