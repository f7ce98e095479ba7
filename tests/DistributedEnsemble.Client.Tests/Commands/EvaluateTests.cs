using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Client.Tests.Commands;

public sealed class EvaluateTests
{
    private static readonly string[] s_train =
    [
        "train", "--name", "r", "--members", "3", "--epochs", "3", "--set", "model.hidden=[16]", "--set", "snapshots.perMember=2",
        "--set", "training.schedule.learningRate=0.3",
    ];

    [Fact]
    public async Task Evaluate_prints_calibration_uncertainty_and_diversity()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync(s_train)).Succeeded();

        var text = (await driver.RunAsync("evaluate", "r")).Succeeded().Out;
        var json = (await driver.RunAsync("evaluate", "r", "--from", "snapshots", "--select", "last:1", "--json")).Succeeded().Json;

        Assert.All(
            ["Brier score", "ECE", "calibrated NLL", "entropy", "mutual information", "disagreement", "error correlation"],
            measure => Assert.Contains(measure, text, StringComparison.Ordinal));
        var uncertainty = json.GetProperty("uncertainty");
        Assert.Equal(
            uncertainty.GetProperty("entropy").GetDouble(),
            uncertainty.GetProperty("expectedEntropy").GetDouble() + uncertainty.GetProperty("mutualInformation").GetDouble(), 1e-9);
        Assert.InRange(json.GetProperty("diversity").GetProperty("disagreement").GetDouble(), 0, 1);
        Assert.True(json.GetProperty("calibrated").GetProperty("nll").GetDouble() > 0);
        Assert.Equal(3, json.GetProperty("constituents").GetInt32());
    }

    [Fact]
    public async Task An_evaluation_that_is_interrupted_prints_no_measures_and_can_be_done_again()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync(s_train)).Succeeded();

        var stopped = await driver.RunAsync(interruption => interruption.Signal(130), "evaluate", "r");

        Assert.Equal((130, ""), (stopped.ExitCode, stopped.Out));
        Assert.Equal("Stopped before all was measured: nothing has changed.", stopped.Error.Trim());
        (await driver.RunAsync("evaluate", "r")).Succeeded();
    }

    [Fact]
    public async Task Predict_uses_what_evaluate_selected()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync(s_train)).Succeeded();
        var pixels = string.Join(',', Enumerable.Range(0, 64).Select(i => $"pixel{i}"));
        var rows = driver.File("rows.csv", $"{pixels}\n{string.Join(',', Enumerable.Repeat("8", 64))}\n");
        string[] predict = ["predict", "r", "--input", rows, "--from", "snapshots", "--select", "greedy", "--json"];

        (await driver.RunAsync(predict)).Refused(
            2, "--select is \"greedy\": no models of run \"r\" are selected yet. `ensemble evaluate r --select greedy`, with the same other options, selects them.");
        (await driver.RunAsync("evaluate", "r", "--from", "snapshots", "--select", "greedy")).Succeeded();

        Assert.Single((await driver.RunAsync(predict)).Succeeded().Json.GetProperty("rows").EnumerateArray());
    }

    [Theory]
    [InlineData("--from ema", "--from is ema: run \"r\" kept no EMA models, its averaging was off. Choose final or snapshots.")]
    [InlineData("--mc 20", "--mc is 20: this run's network has no dropout to sample. Choose 0.")]
    [InlineData("--select best", "--select is \"best\": it must be all, greedy, or last:N with N from 1 to 999999.")]
    [InlineData("--select greedy", "--select is \"greedy\": it chooses on validation rows, and run \"r\" kept none. Choose all or last:N.")]
    [InlineData("--members 4", "--members is 4: run \"r\" has 1 to 3.")]
    public async Task What_a_run_cannot_do_is_refused_in_one_line(string options, string error)
    {
        using var driver = new TestDriver();
        (await driver.RunAsync([.. s_train, "--set", "data.validationFraction=0"])).Succeeded();

        (await driver.RunAsync(["evaluate", "r", .. options.Split(' ')])).Refused(2, error);
    }

    [Fact]
    public async Task Report_writes_a_page_that_needs_no_other_file_and_its_plots()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync(s_train)).Succeeded();

        var outcome = (await driver.RunAsync("report", "r", "--from", "snapshots")).Succeeded();

        var folder = Path.Combine(driver.RunsFolder, "r", "report");
        Assert.Equal($"The page is {Path.Combine(folder, "index.html")}\n", outcome.Out);
        var page = File.ReadAllText(Path.Combine(folder, "index.html"));
        Assert.Equal(7, page.Split("<figure><svg ").Length - 1);
        Assert.Equal(page.Split("src=").Length, page.Split("src=\"data:image/png;base64,").Length);
        Assert.All(
            ["Most uncertain rows", "Most wrong rows", "Leaderboard", "Model card", "image-rendering:pixelated", "@media print"],
            part => Assert.Contains(part, page, StringComparison.Ordinal));
        // The figure and the table say the same of calibration.
        var ece = (await driver.RunAsync("evaluate", "r", "--from", "snapshots", "--json")).Succeeded().Json;
        var drawn = File.ReadAllText(Path.Combine(folder, "reliability.svg"));
        Assert.Contains(FormattableString.Invariant($"ensemble (ECE {100 * ece.GetProperty("ensemble").GetProperty("ece").GetDouble():0.0} %)"), drawn, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"single models (ECE {100 * ece.GetProperty("single").GetProperty("mean").GetProperty("ece").GetDouble():0.0} %)"), drawn, StringComparison.Ordinal);
        Assert.Equal(
            ["disagreement.png", "disagreement.svg", "early-exit.png", "early-exit.svg", "error-by-size.png", "error-by-size.svg", "index.html", "learning.png", "learning.svg",
                "precision-recall.png", "precision-recall.svg", "reliability.png", "reliability.svg", "roc.png", "roc.svg"],
            Directory.GetFiles(folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        Assert.All(Directory.GetFiles(folder, "*.png"), file => Assert.Equal("PNG"u8, File.ReadAllBytes(file).AsSpan(1, 3)));
        Assert.Contains("first models", File.ReadAllText(Path.Combine(folder, "error-by-size.svg")), StringComparison.Ordinal);
        (await driver.RunAsync("report", "r", "--from", "final")).Succeeded();
        Assert.Contains("first members", File.ReadAllText(Path.Combine(folder, "error-by-size.svg")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_says_of_which_models_it_is_and_how_often_each_counts()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync([.. s_train, "--set", "averaging.decay=0.9"])).Succeeded();

        Assert.Contains("3 EMA models of 3 members, averaged", await PageAsync("--from", "ema"), StringComparison.Ordinal);
        Assert.Contains("6 models of 3 members, averaged", await PageAsync("--from", "snapshots"), StringComparison.Ordinal);
        string[] greedy = ["--from", "snapshots", "--select", "greedy"];
        var selected = await PageAsync(greedy);
        var weights = (await driver.RunAsync(["evaluate", "r", "--json", .. greedy])).Succeeded().Json.GetProperty("weights").EnumerateArray().ToArray();
        Assert.Equal(
            weights.Select(one => one.GetProperty("multiplicity").GetInt32()).Where(times => times > 1).Order(),
            Regex.Matches(selected, "<td>member [^<]*, counts (\\d+) times</td>").Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)).Order());
        Assert.Equal(weights.Length, Regex.Count(selected[selected.IndexOf("id=\"leaderboard\"", StringComparison.Ordinal)..], "<td>member "));

        async Task<string> PageAsync(params string[] choice)
        {
            (await driver.RunAsync(["report", "r", .. choice])).Succeeded();
            return File.ReadAllText(Path.Combine(driver.RunsFolder, "r", "report", "index.html"));
        }
    }

    [Fact]
    public async Task What_a_report_says_trains_the_same_weights_again_where_nothing_but_the_program_is()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync(s_train)).Succeeded();
        (await driver.RunAsync("report", "r")).Succeeded();
        var page = File.ReadAllText(Path.Combine(driver.RunsFolder, "r", "report", "index.html"));
        var command = WebUtility.HtmlDecode(Regex.Match(page, @"id=""again"".*?<pre>(.*?)</pre>", RegexOptions.Singleline).Groups[1].Value);
        var empty = Directory.CreateDirectory(driver.Place("empty")).FullName;
        var start = new ProcessStartInfo("bash", ["-c", command]) { WorkingDirectory = empty, RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["PATH"] = $"{AppContext.BaseDirectory}:{start.Environment["PATH"]}";

        using var bash = Process.Start(start)!;
        var (output, error) = (bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), bash.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(bash.ExitCode == 0, $"{command}\n{await output}{await error}");
        var again = Assert.Single(Directory.GetFiles(empty, "run.json", SearchOption.AllDirectories));
        Assert.Equal(Weights(Path.Combine(driver.RunsFolder, "r", "run.json")), Weights(again));
        Assert.Contains("it trains on digits (SHA-256 ", page, StringComparison.Ordinal);

        static string[] Weights(string file) => [.. RunStatusJson.FromJson(File.ReadAllText(file)).Snapshots.Select(one => $"{one.Member} {one.Step} {one.Sha256}").Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task A_regressions_report_draws_its_residuals_and_what_its_intervals_hold()
    {
        using var driver = new TestDriver();
        var table = driver.File("numbers.csv", Numbers(100));
        (await driver.RunAsync("train", "--dataset", table, "--name", "r", "--members", "3", "--epochs", "3", "--set", "model.hidden=[16]")).Succeeded();

        (await driver.RunAsync("report", "r")).Succeeded();

        var folder = Path.Combine(driver.RunsFolder, "r", "report");
        Assert.Equal(
            ["coverage.png", "coverage.svg", "error-by-size.png", "error-by-size.svg", "index.html", "learning.png", "learning.svg", "residuals.png", "residuals.svg"],
            Directory.GetFiles(folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        var page = File.ReadAllText(Path.Combine(folder, "index.html"));
        Assert.Equal(4, page.Split("<figure><svg ").Length - 1);
        Assert.All(["RMSE", "CRPS", "factor on σ", "What the predictions lean on", "Most wrong rows"], word => Assert.Contains(word, page, StringComparison.Ordinal));
        Assert.Contains("test RMSE", File.ReadAllText(Path.Combine(folder, "error-by-size.svg")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_finds_the_one_column_that_matters_and_says_of_classes_what_evaluate_says()
    {
        using var driver = new TestDriver();
        var random = new Random(5);
        var table = driver.File("one.csv", "noise,signal,more,y\n" + string.Concat(Enumerable.Range(0, 400).Select(_ =>
        {
            var signal = random.NextDouble();
            return FormattableString.Invariant($"{random.NextDouble():0.000},{signal:0.000},{random.NextDouble():0.000},{(signal + (0.3 * random.NextDouble()) > 0.65 ? "yes" : "no")}\n");
        })));
        (await driver.RunAsync("train", "--dataset", table, "--name", "r", "--members", "3", "--epochs", "60")).Succeeded();
        (await driver.RunAsync("report", "r")).Succeeded();
        var page = File.ReadAllText(Path.Combine(driver.RunsFolder, "r", "report", "index.html"));
        var json = (await driver.RunAsync("evaluate", "r", "--json")).Succeeded().Json;

        var importance = Regex.Matches(page[page.IndexOf("id=\"importance\"", StringComparison.Ordinal)..], @"<tr><td>(\w+)</td><td><svg.*?aria-label=""(-?[\d.]+)""")
            .ToDictionary(row => row.Groups[1].Value, row => double.Parse(row.Groups[2].Value, CultureInfo.InvariantCulture));
        Assert.Equal(["more", "noise", "signal"], importance.Keys.Order(StringComparer.Ordinal));
        Assert.True(importance["signal"] > 0.3, page);
        Assert.All(["more", "noise"], column => Assert.InRange(importance[column], -0.1, 0.1));
        Assert.DoesNotContain("Measured on the first", page, StringComparison.Ordinal);

        var auc = json.GetProperty("ensemble").GetProperty("auc").GetDouble();
        Assert.Contains(FormattableString.Invariant($"yes, area {auc:0.0000}"), WebUtility.HtmlDecode(File.ReadAllText(Path.Combine(driver.RunsFolder, "r", "report", "roc.svg"))), StringComparison.Ordinal);

        var confusion = page[page.IndexOf("class=\"confusion\"", StringComparison.Ordinal)..];
        foreach (var (i, row) in Regex.Matches(confusion[..confusion.IndexOf("</table>", StringComparison.Ordinal)], @"<tr><td>(yes|no)</td><td>([^<]*)</td><td>([^<]*)</td>(.*?)</tr>").Index())
        {
            Assert.Equal(json.GetProperty("classes")[i].GetString(), row.Groups[1].Value);
            Assert.Equal(Share("precision", i), row.Groups[2].Value);
            Assert.Equal(Share("recall", i), row.Groups[3].Value);
            Assert.Equal(json.GetProperty("confusion")[i].EnumerateArray().Select(cell => $"{cell}"), Regex.Matches(row.Groups[4].Value, ">(\\d+)</td>").Select(cell => cell.Groups[1].Value));
        }

        Assert.Equal(80, json.GetProperty("confusion").EnumerateArray().Sum(row => row.EnumerateArray().Sum(cell => cell.GetInt64())));

        string Share(string measure, int i) => FormattableString.Invariant($"{100 * json.GetProperty(measure)[i].GetDouble():0.0} %");
    }

    [Fact]
    public async Task A_report_says_what_it_leaves_out()
    {
        using var driver = new TestDriver();
        var table = driver.File("wide.csv", string.Join(',', Enumerable.Range(0, 61).Select(i => $"c{i}")) + ",y\n"
            + string.Concat(Enumerable.Range(0, 300).Select(row => string.Join(',', Enumerable.Range(0, 61).Select(i => ((row * (i + 3)) + (row / 7)) % 19)) + $",class{row % 21}\n")));
        (await driver.RunAsync("train", "--dataset", table, "--name", "r", "--members", "1", "--epochs", "1", "--set", "model.hidden=[8]")).Succeeded();

        (await driver.RunAsync("report", "r")).Succeeded();

        var page = File.ReadAllText(Path.Combine(driver.RunsFolder, "r", "report", "index.html"));
        Assert.Contains("Measured on the first 60 of 61 columns.", page, StringComparison.Ordinal);
        Assert.Contains("A table of all 21 classes is left out: it shows at most 20.", page, StringComparison.Ordinal);
        Assert.Contains("for the 7 of 21 classes with the most rows", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_table_of_its_own_measures_again_as_it_did_after_training()
    {
        using var driver = new TestDriver();
        var (table, test) = (driver.File("numbers.csv", Numbers(90)), driver.File("test.csv", Numbers(35)));

        var trained = (await driver.RunAsync("train", "--dataset", table, "--test", test, "--name", "r", "--members", "2", "--epochs", "3", "--json")).Succeeded().Json;
        var again = (await driver.RunAsync("evaluate", "r", "--json")).Succeeded().Json;

        Assert.Equal(trained.GetProperty("ensemble").GetRawText(), again.GetProperty("ensemble").GetRawText());
    }

    [Fact]
    public async Task Reproduce_refuses_a_file_as_its_folder()
    {
        using var driver = new TestDriver();
        var file = driver.File("docs", "");

        (await driver.RunAsync("reproduce", "--quick", "--output", file)).Refused(2, $"--output {file} is a file: it takes a folder.");
    }

    /// <summary>A number of two others.</summary>
    private static string Numbers(int rows) => "a,b,y\n" + string.Concat(Enumerable.Range(0, rows).Select(i => $"{i * 37 % 101},{i * i % 89},{0.5 + 3 * (i * 37 % 101) - (i * i % 89)}\n"));
}
