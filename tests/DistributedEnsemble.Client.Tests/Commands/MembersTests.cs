namespace DistributedEnsemble.Client.Tests.Commands;

/// <summary>Members that differ, and rows that they did not see, as people ask for them.</summary>
public sealed class MembersTests
{
    private static readonly string[] s_train =
    [
        "train", "--name", "r", "--members", "4", "--folds", "2", "--epochs", "2", "--set", "model.hidden=[16]",
        "--set", """variants=[{},{"training":{"epochs":3},"regularization":{"dropout":{"rate":0.1}}}]""",
    ];

    [Fact]
    public async Task The_leaderboard_shows_the_keys_in_which_members_differ()
    {
        using var driver = new TestDriver();
        var trained = (await driver.RunAsync(s_train)).Succeeded();

        var json = (await driver.RunAsync("evaluate", "r", "--select", "greedy", "--json")).Succeeded().Json;
        var text = (await driver.RunAsync("evaluate", "r")).Succeeded().Out;

        Assert.All(json.GetProperty("leaderboard").EnumerateArray(), entry =>
        {
            var (isSecond, settings) = (entry.GetProperty("member").GetInt32() % 2 == 1, entry.GetProperty("settings"));
            Assert.Equal(isSecond ? 3 : 2, settings.GetProperty("training.epochs").GetInt32());
            Assert.Equal(isSecond ? "0.1" : "", settings.GetProperty("regularization.dropout.rate").ToString());
            Assert.False(settings.TryGetProperty("model.hidden", out _));
        });
        Assert.Contains("epochs", text, StringComparison.Ordinal);
        Assert.Contains("out-of-fold accuracy", text, StringComparison.Ordinal);
        Assert.Contains("(epochs=3 rate=0.1)\n", trained.Out, StringComparison.Ordinal);
        Assert.Equal(1437, json.GetProperty("validation").GetProperty("rows").GetInt32());
        Assert.True(json.GetProperty("validation").GetProperty("outOfFold").GetBoolean());
    }

    [Fact]
    public async Task The_report_shows_the_settings_of_members_that_differ()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync(s_train)).Succeeded();

        (await driver.RunAsync("report", "r")).Succeeded();

        var folder = Path.Combine(driver.RunsFolder, "r", "report");
        var page = File.ReadAllText(Path.Combine(folder, "index.html"));
        Assert.Contains("<th class=\"setting\" title=\"training.epochs\">epochs</th><th class=\"setting\" title=\"regularization.dropout.rate\">rate</th></tr>", page, StringComparison.Ordinal);
        Assert.Equal(2, page.Split("<td class=\"setting\">2</td><td class=\"setting\">–</td></tr>").Length - 1);
        Assert.Equal(2, page.Split("<td class=\"setting\">3</td><td class=\"setting\">0.1</td></tr>").Length - 1);
    }

    [Fact]
    public async Task Rows_out_of_fold_are_written_with_their_truth_and_score_what_evaluate_says()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync(s_train)).Succeeded();

        var said = (await driver.RunAsync("evaluate", "r", "--json")).Succeeded().Json.GetProperty("validation").GetProperty("measures").GetProperty("accuracy").GetDouble();
        var lines = (await driver.RunAsync("predict", "r", "--out-of-fold")).Succeeded().Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var rows = (await driver.RunAsync("predict", "r", "--out-of-fold", "--json")).Succeeded().Json.GetProperty("rows").EnumerateArray().ToArray();

        Assert.StartsWith("row,truth,label,entropy,p(0),", lines[0], StringComparison.Ordinal);
        Assert.Equal(1438, lines.Length);
        Assert.Equal(Enumerable.Range(0, 1437), rows.Select(row => row.GetProperty("row").GetInt32()));
        Assert.Equal(said, lines.Skip(1).Count(line => line.Split(',') is var cells && cells[1] == cells[2]) / 1437.0, 1e-12);
        Assert.Equal(lines[1].Split(',')[1], rows[0].GetProperty("truth").GetString());
    }

    [Fact]
    public async Task A_bootstrap_is_a_switch()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync("train", "--bootstrap", "--name", "r", "--members", "2", "--epochs", "1", "--set", "model.hidden=[8]")).Succeeded();

        var spec = (await driver.RunAsync("spec", "r")).Succeeded().Out;
        Assert.Contains("\"bootstrap\": true", spec, StringComparison.Ordinal);
        Assert.Contains("\"validationFraction\": 0", spec, StringComparison.Ordinal);
        var rows = (await driver.RunAsync("evaluate", "r", "--json")).Succeeded().Json.GetProperty("validation").GetProperty("rows").GetInt32();
        Assert.InRange(rows / 1437.0, 0.55, 0.66);
    }

    [Theory]
    [InlineData("train --folds 1", "--folds is 1: a member would train without all of its rows (take 2 folds or more, or 0 for none).")]
    [InlineData("train --folds 2000", "--folds is 2000")]
    [InlineData("train --folds two", "--folds is \"two\": it must be a whole number from 0 to 1000.")]
    [InlineData("train --folds 900 --set data.validationFraction=0.8", "--folds is 900: there are 288 training rows, and each fold takes one (take fewer folds).")]
    public async Task What_cannot_be_is_refused_in_one_line(string arguments, string error)
    {
        using var driver = new TestDriver();
        var outcome = await driver.RunAsync(arguments.Split(' '));
        Assert.Equal(2, outcome.ExitCode);
        Assert.StartsWith(error, outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Out_of_fold_goes_with_no_other_rows_and_with_runs_that_have_some()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync("train", "--name", "r", "--members", "1", "--epochs", "1", "--set", "model.hidden=[8]")).Succeeded();

        (await driver.RunAsync("predict", "r", "--out-of-fold")).Refused(
            2, "Run \"r\" has no rows out of fold: each of its members saw all of them. Train one with --folds 5, or with --bootstrap.");
        (await driver.RunAsync("predict", "r", "--out-of-fold", "--input", "x.csv")).Refused(
            2, "--out-of-fold predicts the rows that trained the run, and --input brings others: give one of the two.");
    }
}
