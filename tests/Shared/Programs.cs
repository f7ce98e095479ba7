using System.Diagnostics;

namespace DistributedEnsemble.Tests;

/// <summary>Programs of the system that read what this one writes, or ask what it serves.</summary>
internal static class Programs
{
    public const string Python = "/usr/bin/python3";

    public static async Task SkipUnlessPythonHasAsync(string module)
    {
        SkipUnlessInstalled(Python);
        using var probe = Process.Start(new ProcessStartInfo(Python, ["-c", $"import {module}"]) { RedirectStandardError = true })!;
        await probe.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.SkipUnless(probe.ExitCode == 0, $"{Python} has no {module} (Debian: python3-{module}).");
    }

    /// <param name="program">Its path, or the name of one below /usr/bin.</param>
    public static void SkipUnlessInstalled(string program) => Assert.SkipUnless(File.Exists(Path.Combine("/usr/bin", program)), $"{program} is not installed.");

    /// <summary>Runs a program to its end, which must be a good one.</summary>
    public static Task<(string Output, string Error)> RunAsync(string program, params string[] arguments) => RunAsync(new ProcessStartInfo(program, arguments));

    /// <inheritdoc cref="RunAsync(string, string[])"/>
    public static async Task<(string Output, string Error)> RunAsync(ProcessStartInfo start)
    {
        var (code, output, error) = await EndAsync(start);
        Assert.True(code == 0, $"{start.FileName} ended with {code}: {output}{error}");
        return (output, error);
    }

    /// <summary>Runs a program to its end, whichever it is.</summary>
    public static async Task<(int Code, string Output, string Error)> EndAsync(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await error);
    }
}
