namespace DistributedEnsemble.Client.Tests.Commands;

public sealed class UsageTests : IDisposable
{
    private readonly TestDriver _driver = new();

    [Theory]
    [InlineData("--lanes 0 list", "--lanes is 0: a number of training threads is a whole number from 1 to 1024. Try `ensemble list --help`.")]
    [InlineData("status Digits", "\"Digits\" is not a run: a name has 1 to 63 characters of a-z, 0-9 and -, and starts with a letter or digit.")]
    [InlineData("status ../x", "\"../x\" is not a run: a name has 1 to 63 characters of a-z, 0-9 and -, and starts with a letter or digit.")]
    [InlineData("evaluate digits-1 --from best", "--from is best: it is one of final, snapshots, ema. Try `ensemble evaluate --help`.")]
    [InlineData("evaluate digits-1 --mc -1", "--mc is -1: a number of masks is a whole number from 0 to 100000. Try `ensemble evaluate --help`.")]
    [InlineData("train --set epochs", "--set epochs names no value: it takes path=value, such as training.epochs=20.")]
    [InlineData("train none.json", "Spec none.json does not exist.")]
    [InlineData("train --epoch 3", "There is no option --epoch. Did you mean --epochs? Try `ensemble train --help`.")]
    [InlineData("train --epoch", "There is no option --epoch. Did you mean --epochs? Try `ensemble train --help`.")]
    [InlineData("status --jsn", "There is no option --jsn. Did you mean --json? Try `ensemble status --help`.")]
    [InlineData("status digits-1 --follow", "There is no option --follow: `ensemble watch` shows a run until it ends. Try `ensemble status --help`.")]
    [InlineData("sign digits-1", "--key is missing: it takes a file with a private ECDSA key on P-256, in PEM. Make one with `openssl ecparam -name prime256v1 -genkey -noout -out key.pem`.")]
    [InlineData("list --jsn", "There is no option --jsn. Did you mean --json? Try `ensemble list --help`.")]
    [InlineData("list digits-1", "`ensemble list` takes no \"digits-1\". Try `ensemble list --help`.")]
    [InlineData("evaluat digits-1", "There is no command \"evaluat\". Did you mean `ensemble evaluate`? Try `ensemble --help`.")]
    [InlineData("status", "R is missing: the run's name, as `ensemble list` shows it. Try `ensemble status --help`.")]
    [InlineData("inspect", "FILE is missing: a table, as CSV, TSV (also .gz) or Parquet. Try `ensemble inspect --help`.")]
    [InlineData("train --members", "--members lacks its value: it takes K. Try `ensemble train --help`.")]
    [InlineData("train --learning-rate 0.1", "`ensemble train` has no option --learning-rate. Try `ensemble train --help`.")]
    [InlineData("classify", "There is no command \"classify\". Try `ensemble --help`.")]
    // The last word is an empty one.
    [InlineData("export digits-1 --output ", "--output is \"\": it takes the name of a file or a folder. Try `ensemble export --help`.")]
    [InlineData("predict digits-1 --output ", "--output is \"\": it takes the name of a file. Try `ensemble predict --help`.")]
    [InlineData("reproduce --output ", "--output is \"\": it takes the name of a folder. Try `ensemble reproduce --help`.")]
    public async Task A_wrong_command_line_is_answered_in_one_line(string arguments, string error)
    {
        (await _driver.RunAsync(arguments.Split(' '))).Refused(2, error);
        Assert.Empty(_driver.Runs);
    }

    [Fact]
    public async Task A_table_in_the_place_of_an_options_value_is_told_the_option()
    {
        var rows = _driver.File("rows.csv", "x\n1\n");
        (await _driver.RunAsync("predict", "digits-1", rows)).Refused(2, $"`ensemble predict` takes no \"{rows}\": a table is given by --input {rows}. Try `ensemble predict --help`.");
    }

    [Fact]
    public async Task A_run_that_does_not_exist_is_told_with_the_folder() =>
        (await _driver.RunAsync("status", "none")).Refused(2,
            $"Run \"none\" does not exist in {_driver.RunsFolder}. `ensemble list --runs {_driver.RunsFolder}` shows those that do.");

    [Fact]
    public async Task An_empty_folder_of_runs_says_how_to_make_one() => Assert.Equal(
        $"No runs in {_driver.RunsFolder}. `ensemble train --runs {_driver.RunsFolder}` makes one.\n", (await _driver.RunAsync("list")).Succeeded().Out);

    public void Dispose() => _driver.Dispose();
}
