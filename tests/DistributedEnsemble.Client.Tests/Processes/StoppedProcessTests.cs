namespace DistributedEnsemble.Client.Tests.Processes;

/// <summary>A stop is the same at every moment of a start.</summary>
public sealed class StoppedProcessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ensemble-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(50, EnsembleProcess.Terminate), InlineData(150, EnsembleProcess.Interrupt), InlineData(300, EnsembleProcess.Terminate)]
    [InlineData(450, EnsembleProcess.Interrupt), InlineData(600, EnsembleProcess.Terminate), InlineData(750, EnsembleProcess.Interrupt)]
    [InlineData(900, EnsembleProcess.Terminate), InlineData(1100, EnsembleProcess.Interrupt), InlineData(1400, EnsembleProcess.Terminate)]
    public async Task A_stop_while_training_starts_is_told_and_leaves_a_run_that_goes_on_or_nothing(int milliseconds, int signal)
    {
        using var process = EnsembleProcess.Start(
            "train", "--dataset", "digits", "--members", "2", "--epochs", "100000", "--name", "stopped", "--runs", Path.Combine(_folder, "runs"));
        await Task.Delay(milliseconds, TestContext.Current.CancellationToken);

        process.Signal(signal);
        var outcome = await process.EndAsync();

        Assert.Equal(128 + signal, outcome.ExitCode);
        if (Directory.Exists(Path.Combine(_folder, "runs", "stopped"))) Assert.Contains("Go on with: ensemble resume stopped --runs ", outcome.Error);
        // Before the program's first line, the system ends it.
        else Assert.True(outcome.Error is "" or "Stopped before anything was trained: nothing has changed.\n", outcome.Error);
    }
}
