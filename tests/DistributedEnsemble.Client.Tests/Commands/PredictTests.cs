using System.Globalization;
using System.Text.Json;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Client.Tests.Commands;

/// <summary>Rows that a run is asked for.</summary>
public sealed class PredictTests : IDisposable
{
    private readonly TestDriver _driver = new();

    [Fact]
    public async Task Rows_get_a_class_probabilities_and_their_entropy()
    {
        await _driver.TrainFlowersAsync();
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
        await _driver.TrainFlowersAsync();
        var rows = _driver.File("rows.csv", "width,height\n1,2\n");
        File.Delete(_driver.Place("flowers.csv"));

        var outcome = (await _driver.RunAsync("predict", "flowers", "--input", rows, "--output", _driver.Place("out.csv"))).Succeeded();

        Assert.Equal($"1 row in {_driver.Place("out.csv")}\n", outcome.Out);
        Assert.Equal(2, File.ReadAllLines(_driver.Place("out.csv")).Length);
    }

    [Fact]
    public async Task What_is_averaged_can_be_chosen()
    {
        await _driver.TrainFlowersAsync("--set", "snapshots.perMember=3", "--set", "regularization.dropout.rate=0.2");
        var rows = _driver.File("rows.csv", "width,height\n1,2\n");

        var outputs = new HashSet<string>();
        foreach (var choice in new[] { "--from final", "--from snapshots", "--from snapshots --select last:2", "--members 1", "--mc 3" })
            outputs.Add((await _driver.RunAsync(["predict", "flowers", "--input", rows, .. choice.Split(' ')])).Succeeded().Out);

        Assert.Equal(5, outputs.Count);
    }

    [Fact]
    public async Task Rows_may_ask_no_more_members_than_they_need_and_the_evaluation_says_what_that_costs()
    {
        await _driver.TrainFlowersAsync("--set", "data.validationFraction=0.3");
        var rows = _driver.File("rows.csv", "width,height\n1,2\n");

        var early = await _driver.RunAsync("predict", "flowers", "--input", rows, "--early-exit", "0.2");
        var evaluation = (await _driver.RunAsync("evaluate", "flowers", "--early-exit", "0.2")).Succeeded().Out;
        var json = (await _driver.RunAsync("evaluate", "flowers", "--early-exit", "0.2", "--json")).Succeeded().Json.GetProperty("earlyExits");
        var refused = await _driver.RunAsync("predict", "flowers", "--input", rows, "--early-exit", "0.0001");
        var ofAll = (await _driver.RunAsync("predict", "flowers", "--input", rows, "--early-exit", "0")).Succeeded().Out;

        var lines = early.Succeeded().Out.Split('\n');
        Assert.EndsWith(",membersUsed", lines[0], StringComparison.Ordinal);
        Assert.Matches(",[12]$", lines[1]);
        Assert.Contains("early exit 0.2: ", evaluation, StringComparison.Ordinal);
        Assert.InRange(json.EnumerateArray().Single(exit => exit.GetProperty("probability").GetDouble() == 0.2).GetProperty("members").GetDouble(), 1, 2);
        Assert.Equal(2, refused.ExitCode);
        Assert.Matches("^early exit is 0.0001: the run's \\d+ validation rows promise no probability below 0.\\d+ of another prediction. Choose a higher one, or 0 to ask all members.\n$", refused.Error);
        Assert.Equal((await _driver.RunAsync("predict", "flowers", "--input", rows)).Succeeded().Out, ofAll);
        (await _driver.RunAsync("predict", "flowers", "--input", rows, "--early-exit", "1"))
            .Refused(2, "--early-exit is 1: a probability is a number from 0, which asks all members, and below 1. Try `ensemble predict --help`.");
    }

    [Fact]
    public async Task Columns_that_the_run_does_not_know_are_passed_on_and_cells_may_be_missing()
    {
        await _driver.TrainFlowersAsync();
        var rows = _driver.File("rows.csv", "id;height;width\nx1;2,5;1\n\"a, b\";;3\n");

        var lines = (await _driver.RunAsync("predict", "flowers", "--input", rows)).Succeeded().Out.Split('\n');
        var json = (await _driver.RunAsync("predict", "flowers", "--input", rows, "--json")).Succeeded().Json;

        Assert.StartsWith("id,label,entropy,", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("x1,", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("\"a, b\",", lines[2], StringComparison.Ordinal);
        Assert.Equal("a, b", json.GetProperty("rows")[1].GetProperty("columns").GetProperty("id").GetString());
    }

    [Fact]
    public async Task Columns_of_the_input_are_kept_beside_the_predictions_where_somebody_asks()
    {
        await _driver.TrainFlowersAsync();
        var rows = _driver.File("rows.csv", "id;height;width\nx1;2,5;1\nx2;;3\n");

        var some = (await _driver.RunAsync("predict", "flowers", "--input", rows, "--keep", "height")).Succeeded().Out.Split('\n');
        var all = (await _driver.RunAsync("predict", "flowers", "--input", rows, "--keep", "all")).Succeeded().Out.Split('\n');

        Assert.StartsWith("id,height,label,", some[0], StringComparison.Ordinal);
        Assert.StartsWith("id,height,width,label,", all[0], StringComparison.Ordinal);
        Assert.StartsWith("x1,\"2,5\",1,", all[1], StringComparison.Ordinal);
        Assert.StartsWith("x2,,3,", all[2], StringComparison.Ordinal);
        (await _driver.RunAsync("predict", "flowers", "--input", rows, "--keep", "hight"))
            .Refused(2, $"{rows} has no column \"hight\" to be kept beside its prediction: did you mean \"height\"?");
        (await _driver.RunAsync("predict", "flowers", "--out-of-fold", "--keep", "height"))
            .Refused(2, "--keep names columns of --input, and --out-of-fold predicts the rows that trained the run: give one of the two.");
    }

    [Theory]
    [InlineData("width\n1\n", "rows.csv lacks the column \"height\", which the run was trained with. Add it, with empty cells where it is unknown.")]
    [InlineData("width,height\n1,tall\n", "rows.csv, line 2, column 2 (\"height\"): \"tall\" is not a number, and all of the training rows' cells are.")]
    [InlineData("", "rows.csv is empty: a table has rows, and in its first line the names of its columns.")]
    public async Task Rows_that_do_not_fit_leave_no_output(string csv, string error)
    {
        await _driver.TrainFlowersAsync();
        var (rows, output) = (_driver.File("rows.csv", csv), _driver.Place("out.csv"));

        (await _driver.RunAsync("predict", "flowers", "--input", rows, "--output", output))
            .Refused(2, error.Replace("rows.csv", rows, StringComparison.Ordinal));

        Assert.False(File.Exists(output));
    }

    [Fact]
    public async Task A_regressions_interval_holds_the_share_of_rows_that_is_asked_for()
    {
        await _driver.TrainHousesAsync();
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
        await _driver.TrainFlowersAsync();
        var rows = _driver.File("rows.csv", "width,height\n1,2\n");

        (await _driver.RunAsync("predict", "flowers", "--input", rows, "--coverage", "0.9"))
            .Refused(2, "--coverage is 0.9: only a regression predicts intervals, and this run predicts classes. Predict without it.");
        (await _driver.RunAsync("predict", "flowers", "--input", rows, "--coverage", "90"))
            .Refused(2, "--coverage is 90: a coverage is a number above 0 and below 1. Try `ensemble predict --help`.");
    }

    [Fact]
    public async Task Contradictions_and_missing_files_are_refused()
    {
        await _driver.TrainFlowersAsync("--set", "regularization.dropout=null");
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

    public void Dispose() => _driver.Dispose();
}
