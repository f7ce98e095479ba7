using System.ComponentModel;
using System.Diagnostics;
using DistributedEnsemble.Client.Tests.Processes;

namespace DistributedEnsemble.Client.Tests.Completion;

public sealed class CompletionTests : IDisposable
{
    /// <summary>How each shell is asked, without a terminal: it loads the script $1, and prints what may stand at the end of the line $2.</summary>
    private static readonly Dictionary<string, string[]> s_shells = new()
    {
        ["bash"] = ["bash", "-c",
            """
            source "$1"
            read -r _ _ _ _ function _ < <(complete -p ensemble)
            COMP_LINE=$2 COMP_POINT=${#2}
            "$function"
            word=${2##* }
            for reply in "${COMPREPLY[@]}"; do echo "${word%"${word##*[=:]}"}$reply"; done
            """, "bash"],
        ["zsh"] = ["zsh", "-f", "-c",
            """
            compdef() { function=$1 }
            compadd() { print -l -- "${(@P)@[-1]}" }
            _files() { }
            source "$1"
            words=("${(@s: :)2}") CURRENT=$#words
            $function
            """, "zsh"],
        ["fish"] = ["fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2] | string replace -r '\\t.*' ''"],
        ["pwsh"] = ["pwsh", "-NoProfile", "-File"],
    };

    private const string PowerShellAsks = ". $args[0]; (TabExpansion2 $args[1] $args[1].Length).CompletionMatches | ForEach-Object { $_.CompletionText }\n";

    private readonly TestDriver _driver = new();

    public CompletionTests()
    {
        foreach (var run in new[] { "digits-1", "digits-2", "moons" })
        {
            Directory.CreateDirectory(Path.Combine(_driver.RunsFolder, run));
            File.WriteAllText(Path.Combine(_driver.RunsFolder, run, "run.json"), "{}");
        }
    }

    [Theory]
    [InlineData("bash", "sh")]
    [InlineData("zsh", "zsh")]
    [InlineData("fish", "fish")]
    [InlineData("pwsh", "ps1")]
    public async Task A_shell_completes_commands_runs_options_and_values(string shell, string ending)
    {
        if (shell == "pwsh") await SkipUnlessPowerShellStartsAsync();
        var script = _driver.File($"completion.{ending}", (await EnsembleProcess.RunAsync("completion", shell)).Succeeded().Out);

        Assert.Equal(["status", "stop"], await AskAsync(shell, script, "ensemble st"));
        Assert.Equal(["digits-1", "digits-2"], await AskAsync(shell, script, "ensemble status dig"));
        Assert.Equal(["--target", "--task"], await AskAsync(shell, script, "ensemble train --ta"));
        Assert.Equal(["training.optimizer.kind=adam", "training.optimizer.kind=adamw"], await AskAsync(shell, script, "ensemble train --set training.optimizer.kind=a"));
        // Files are offered where nothing else may stand.
        Assert.Equal(["ema", "final", "snapshots"], await AskAsync(shell, script, "ensemble evaluate digits-1 --from "));
    }

    [Fact]
    public async Task Fish_offers_files_where_no_word_may_stand()
    {
        var script = _driver.File("completion.fish", (await EnsembleProcess.RunAsync("completion", "fish")).Succeeded().Out);
        _driver.File("rows.csv", "1,2\n");

        Assert.Equal(["rows.csv"], await AskAsync("fish", script, "ensemble predict moons --input ro"));
        Assert.Equal(["--input=rows.csv"], await AskAsync("fish", script, "ensemble predict moons --input=ro"));
        Assert.Empty(await AskAsync("fish", script, "ensemble predict moons --input nosuch"));
    }

    [Theory]
    [InlineData("reprod|", "reproduce")]
    [InlineData("evaluate moons --from |", "final snapshots ema")]
    [InlineData("evaluate moons --select=|", "--select=all --select=greedy")]
    [InlineData("train --task |", "classification regression")]
    [InlineData("train --header yes --head|", "")]
    [InlineData("train --set members=2 --se|", "--seed --set")]
    [InlineData("train --dataset two|", "two-moons")]
    [InlineData("train --set training.sched|", "training.schedule.kind= training.schedule.learningRate= training.schedule.milestones= training.schedule.factor= training.schedule.cycles=")]
    [InlineData("serve digits-1 |", "digits-2 moons")]
    [InlineData("status moons |", "")]
    [InlineData("completion |", "bash zsh fish pwsh")]
    [InlineData("list --j|", "--json")]
    [InlineData("watch --cluster redis://localhost:6379 |", "")]
    [InlineData("inspect |", "")]
    public async Task What_may_come_next_is_known_from_the_commands_themselves(string line, string expected)
    {
        var words = line[..^1].Split(' ');

        var lines = (await EnsembleProcess.RunAsync(["complete", "--", .. WithRuns(words)])).Succeeded().Out;

        Assert.Equal(expected, string.Join(' ', lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(suggestion => suggestion.Split('\t')[0])));
    }

    [Fact]
    public async Task A_shell_that_nobody_knows_is_refused_in_one_line() =>
        (await EnsembleProcess.RunAsync("completion", "csh")).Refused(2, "The shell is csh: it is one of bash, zsh, fish, pwsh. Try `ensemble completion --help`.");

    public void Dispose() => _driver.Dispose();

    /// <summary>A cluster and a folder of runs exclude each other.</summary>
    private string[] WithRuns(string[] words) =>
        words.Contains("--cluster") || words.Length == 1 ? words : [words[0], "--runs", _driver.RunsFolder, .. words[1..]];

    /// <summary>It may be there and lack libraries of the system's.</summary>
    private static async Task SkipUnlessPowerShellStartsAsync()
    {
        try
        {
            if ((await Programs.EndAsync(Quiet(new ProcessStartInfo("pwsh", ["-NoProfile", "-Command", "exit"])))).Code == 0) return;
        }
        catch (Win32Exception)
        {
        }

        Assert.Skip("pwsh is not installed.");
    }

    /// <summary>PowerShell asks for newer versions, and tells that it was started, unless it is asked not to.</summary>
    private static ProcessStartInfo Quiet(ProcessStartInfo start)
    {
        (start.Environment["POWERSHELL_TELEMETRY_OPTOUT"], start.Environment["POWERSHELL_UPDATECHECK"]) = ("1", "Off");
        return start;
    }

    private async Task<string[]> AskAsync(string shell, string script, string line)
    {
        string[] command = [.. s_shells[shell], .. shell == "pwsh" ? [_driver.File("ask.ps1", PowerShellAsks)] : (string[])[], script, line];
        var start = Quiet(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetDirectoryName(_driver.RunsFolder) });
        start.Environment["PATH"] = $"{AppContext.BaseDirectory}{Path.PathSeparator}{start.Environment["PATH"]}";
        try
        {
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            Assert.Equal("", await errors);
            return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(word => word.TrimEnd('\r')).Order(StringComparer.Ordinal)];
        }
        catch (Win32Exception)
        {
            Assert.Skip($"{shell} is not installed.");
            throw;
        }
    }
}
