using System.Diagnostics;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Silo.Tests.Deploy;

/// <summary>Files of the source tree, and the scripts among them.</summary>
internal static class DeployFiles
{
    public static string PathOf(params string[] path) => Repository.File(path);

    public static string Read(params string[] path) => File.ReadAllText(PathOf(path));

    /// <summary>Runs a program in a folder, and waits for its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await error);
    }
}
