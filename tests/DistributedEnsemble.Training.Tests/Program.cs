using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace DistributedEnsemble.Training.Tests;

/// <summary>Runs the tests, or does a piece of training for a test of another process.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        if (args is [OtherProcess.Command, .. var work]) return OtherProcess.Serve(work);
        return args.Any(arg => arg is "--server" or "--internal-msbuild-node")
            ? await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
            : await ConsoleRunner.Run(args);
    }
}
