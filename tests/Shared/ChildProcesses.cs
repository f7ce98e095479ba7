using System.Runtime.CompilerServices;

namespace DistributedEnsemble.Tests;

/// <summary>
/// How the programs that tests start compile themselves. They live for seconds: methods that are compiled once more, to be counted
/// or to be faster, took a third of all processor time. Kernels are compiled for good at once, and whoever lives longer becomes fast.
/// </summary>
internal static class ChildProcesses
{
#pragma warning disable CA2255 // Whatever starts a process, in any test, comes after it.
    [ModuleInitializer]
    public static void LetThemStartFast()
    {
        Default("DOTNET_TieredPGO", "0");
        // In milliseconds, hexadecimal: ten seconds after the last method was compiled for the first time, where a tenth of one is usual.
        Default("DOTNET_TC_CallCountingDelayMs", "2710");
    }
#pragma warning restore CA2255

    private static void Default(string name, string value)
    {
        if (Environment.GetEnvironmentVariable(name) is null) Environment.SetEnvironmentVariable(name, value);
    }
}
