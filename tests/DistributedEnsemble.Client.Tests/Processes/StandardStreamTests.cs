using System.Diagnostics;

namespace DistributedEnsemble.Client.Tests.Processes;

/// <summary>Standard streams as shells leave them: closed, or at a disk that is full.</summary>
public sealed class StandardStreamTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ensemble-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("list", ">/dev/full", 1, "", "Standard output cannot be written: No space left on device.\n")]
    [InlineData("list", ">&-", 1, "", "Standard output cannot be written: it is closed.\n")]
    [InlineData("--version", ">&-", 1, "", "Standard output cannot be written: it is closed.\n")]
    [InlineData("list", "2>/dev/full", 0, "No runs in ", "")]
    [InlineData("list", "<&- 2>&-", 0, "No runs in ", "")]
    [InlineData("status nobody", "2>/dev/full", 2, "", "")]
    [InlineData("status nobody", "2>&-", 2, "", "")]
    [InlineData("status nobody", ">/dev/full 2>&1", 2, "", "")]
    [InlineData("list", ">&- 2>&-", 1, "", "")]
    public async Task A_stream_that_takes_nothing_is_told_in_a_line_or_fails_nothing(string command, string redirection, int exitCode, string output, string error)
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "There is no /dev/full.");

        using var process = Process.Start(new ProcessStartInfo("/bin/sh",
            ["-c", $"exec \"$0\" \"$@\" {redirection}", Path.Combine(AppContext.BaseDirectory, "ensemble"), .. command.Split(' '), "--runs", _folder])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var (written, said) = (process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal((exitCode, error), (process.ExitCode, await said));
        Assert.StartsWith(output, await written);
    }
}
