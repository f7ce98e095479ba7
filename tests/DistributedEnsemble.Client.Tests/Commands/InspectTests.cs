namespace DistributedEnsemble.Client.Tests.Commands;

public sealed class InspectTests : IDisposable
{
    private readonly TestDriver _driver = new();

    [Fact]
    public async Task A_table_is_shown_as_training_takes_it()
    {
        var table = (await _driver.RunAsync("inspect", Houses(), "--json")).Succeeded().Json;

        Assert.Equal("""{"separator":";","decimal":",","quote":"\"","header":true,"encoding":"utf-8","compression":"none"}""", table.GetProperty("format").GetRawText());
        Assert.Equal((60, 3), (table.GetProperty("rows").GetInt64(), table.GetProperty("rowsWithoutTarget").GetInt64()));
        Assert.Equal(("sold", "classification"), (table.GetProperty("target").GetString(), table.GetProperty("task").GetString()));
        Assert.Equal(
            ["id identifier 0", "area number 2", "town category 3", "sold target 0"],
            table.GetProperty("columns").EnumerateArray().Select(column => $"{column.GetProperty("name")} {column.GetProperty("kind")} {column.GetProperty("inputs")}"));
        Assert.Equal((6, 3), (table.GetProperty("columns")[1].GetProperty("missing").GetInt64(), table.GetProperty("columns")[2].GetProperty("distinct").GetInt64()));
        Assert.Equal("counts the rows", table.GetProperty("columns")[0].GetProperty("note").GetString());
    }

    [Fact]
    public async Task People_see_the_flags_that_say_otherwise()
    {
        var houses = Houses();
        var shown = (await _driver.RunAsync("inspect", houses, "--target", "town")).Succeeded().Out;

        Assert.StartsWith(
            $"{houses}: 60 rows, 4 columns; semicolon-separated, decimal comma, quotes \", a header, utf-8\n"
            + "target: town (--target C chooses another), task: classification (--task T)\n"
            + "members: 7 mlp, 3 tabm (--members N, --set model.kind=K)\n", shown, StringComparison.Ordinal);
        Assert.Contains("\"york\" 20, \"bath\" 20, \"hull\" 20", shown.Replace("\"bath\" 20, \"hull\" 20, \"york\" 20", "\"york\" 20, \"bath\" 20, \"hull\" 20", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_that_cannot_be_learned_is_shown_with_the_reason()
    {
        var file = _driver.File("few.csv", "a,b\n1,x\n2,y\n");
        var outcome = await _driver.RunAsync("inspect", file);
        Assert.Equal((2, $"{file} has 2 rows: at least 20 are needed.\n"), (outcome.ExitCode, outcome.Error));
        Assert.Contains("few.csv: 2 rows, 2 columns", outcome.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_steers_a_terminal_is_not_shown_of_names_cells_notes_and_files()
    {
        var rows = string.Concat(Enumerable.Range(0, 60).Select(i => $"{i * i},al\u001b[31mways,{(i % 2 == 0 ? "a\u202eb" : "c\u001b[2Jd")}\n"));
        var file = _driver.File("turned\u202e.csv", $"si\u202eze,same\u001b]0;x,kind\n{rows}");
        var shown = (await _driver.RunAsync("inspect", file)).Succeeded().Out;

        Assert.DoesNotContain('\u202e', shown);
        Assert.DoesNotContain('\u001b', shown);
        Assert.Contains("si ze", shown, StringComparison.Ordinal);
    }

    /// <summary>As training says it before it begins.</summary>
    [Fact]
    public async Task The_range_of_the_rows_that_train_stands_beside_that_of_all()
    {
        var file = _driver.File("range.csv", $"a,y\n{string.Concat(Enumerable.Range(0, 60).Select(i => $"{i * i % 17},{(i == 4 ? 900 : i)}.5\n"))}");
        var target = (await _driver.RunAsync("inspect", file, "--json")).Succeeded().Json.GetProperty("columns")[1];

        Assert.Equal("0.5 … 900.5", target.GetProperty("contents").GetString());
        Assert.Matches(@"^[0-2]\.5 … 5[0-9]\.5 in the rows that train$", target.GetProperty("note").GetString());
    }

    [Fact]
    public async Task One_range_is_shown_once_also_where_every_target_has_a_k()
    {
        var file = _driver.File("short.csv", $"a,y\n{string.Concat(Enumerable.Range(0, 100).Select(i => $"{i * i % 17},{3 + (i * 37 % 25)}k\n"))}");
        var target = (await _driver.RunAsync("inspect", file, "--json")).Succeeded().Json.GetProperty("columns")[1];

        Assert.Equal(("3 … 27", "numbers of \"k\""), (target.GetProperty("contents").GetString(), target.GetProperty("note").GetString()));
    }

    [Fact]
    public async Task What_a_time_of_day_becomes_stands_beside_what_else_it_may_be()
    {
        var file = _driver.File("times.csv", $"time,y\n{string.Concat(Enumerable.Range(0, 60).Select(i => $"{i % 24}:{i:00},{i % 2}\n"))}");
        var time = (await _driver.RunAsync("inspect", file, "--json")).Succeeded().Json.GetProperty("columns")[0];

        Assert.Equal("2 inputs: time, hour of time; times of day; if they are durations, write them as numbers, as of minutes", time.GetProperty("note").GetString());
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_told() =>
        (await _driver.RunAsync("inspect", "none.csv")).Refused(2, "none.csv was not found: looked for none.csv. If it lies in another folder DIR, add --data DIR.");

    [Theory]
    [InlineData("inspect")]
    [InlineData("train", "--dataset")]
    public async Task Parquet_that_is_none_is_told_in_one_line(params string[] command)
    {
        var file = _driver.File("broken.parquet", "PAR1 and then nothing of it");
        var outcome = await _driver.RunAsync([.. command, file]);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("broken.parquet cannot be read as Parquet: ", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        Assert.Empty(_driver.Runs);
    }

    [Fact]
    public async Task Before_training_a_line_says_what_is_learned()
    {
        var trained = (await _driver.RunAsync("train", "--dataset", Houses(), "--members", "1", "--epochs", "1")).Succeeded();

        Assert.StartsWith(
            "houses.csv: classification of \"sold\" (2 classes: no, yes); 57 rows (41 train, 5 validate, 11 test); 2 features, 5 inputs; "
            + "3 rows without target; left out: \"id\" (counts the rows)\n", trained.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Before_training_a_line_says_how_members_differ()
    {
        var trained = (await _driver.RunAsync("train", "--dataset", Houses(), "--members", "3", "--epochs", "1")).Succeeded();
        Assert.Contains("\nMembers differ: 2 with kind=mlp; 1 with kind=tabm submodels=8.\n", trained.Out, StringComparison.Ordinal);

        var alike = (await _driver.RunAsync("train", "--dataset", Houses(), "--members", "3", "--epochs", "1", "--set", "model.hidden=[8]")).Succeeded();
        Assert.DoesNotContain("Members differ", alike.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_number_is_learned_by_regression()
    {
        var file = _driver.File("prices.csv", "size,town,price\n" + string.Concat(Enumerable.Range(0, 80).Select(i => $"{i % 17},{"ab"[i % 2]},{(i % 17 * 3) + (i % 2)}.5\n")));
        var run = (await _driver.RunAsync("train", "--dataset", file, "--members", "2", "--epochs", "20", "--json")).Succeeded();

        Assert.StartsWith("prices.csv: regression of \"price\" (0.5 to 49.5); 80 rows", run.Error, StringComparison.Ordinal);
        Assert.InRange(run.Json.GetProperty("ensemble").GetProperty("r2").GetDouble(), 0.5, 1);
    }

    public void Dispose() => _driver.Dispose();

    private string Houses() => _driver.File("houses.csv", "id;area;town;sold\n" + string.Concat(Enumerable.Range(0, 60).Select(i =>
        $"{i};{(i % 10 == 7 ? "" : $"{i * i % 97},5")};{(i % 3) switch { 0 => "york", 1 => "bath", _ => "hull" }};{(i % 20 == 11 ? "?" : i / 3 % 2 == 0 ? "yes" : "no")}\n")));
}
