using System.Diagnostics;
using System.Text.RegularExpressions;

namespace DistributedEnsemble.Client.Tests.Processes;

/// <summary>Where the program colours what it says: on a terminal, unless NO_COLOR says otherwise.</summary>
public sealed partial class ColorTests
{
    /// <summary>Gives a program a terminal of its own.</summary>
    private const string Script = "/usr/bin/script";

    private static readonly string s_program = Path.Combine(AppContext.BaseDirectory, "ensemble");

    [Theory]
    [InlineData(null, true)]
    [InlineData("", true)]
    [InlineData("1", false)]
    [InlineData("no", false)]
    public async Task A_terminal_is_coloured_unless_it_is_not_to_be(string? noColor, bool isColored)
    {
        Assert.SkipUnless(File.Exists(Script), $"{Script} is not installed");
        using var driver = new TestDriver();

        var train = await SaidAsync(Script, ["-qec", $"{s_program} train --runs {driver.RunsFolder} --members 2 --epochs 1 --set model.kind=mlp", "/dev/null"], noColor);
        var datasets = await SaidAsync(Script, ["-qec", $"{s_program} datasets", "/dev/null"], noColor);

        Assert.All([train, datasets], said => Assert.True(Color().IsMatch(said) == isColored, said));
        // It is a terminal all the same: its lines are replaced as training goes on.
        Assert.Matches(@"\x1b\[\d+A", train);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("1")]
    public async Task What_is_no_terminal_is_given_no_escapes(string? noColor)
    {
        using var driver = new TestDriver();

        var train = await SaidAsync(s_program, ["train", "--runs", driver.RunsFolder, "--members", "2", "--epochs", "1", "--set", "model.kind=mlp"], noColor);

        Assert.Contains("ensemble of 2", train, StringComparison.Ordinal);
        Assert.DoesNotContain('\x1b', train);
    }

    private static async Task<string> SaidAsync(string program, string[] arguments, string? noColor)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("NO_COLOR");
        if (noColor is not null) start.Environment["NO_COLOR"] = noColor;
        start.Environment["TERM"] = "xterm-256color";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        var said = await output + await error;
        Assert.True(process.ExitCode == 0, said);
        return said;
    }

    /// <summary>Of a letter or of what is behind it; bold is no colour.</summary>
    [GeneratedRegex(@"\x1b\[(\d+;)*(3\d|4\d|9\d|10\d)(;\d+)*m")]
    private static partial Regex Color();
}
