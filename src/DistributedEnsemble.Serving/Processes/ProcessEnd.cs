using System.Runtime.InteropServices;

namespace DistributedEnsemble.Serving.Processes;

/// <summary>The end of this process before anything else of it runs.</summary>
public static class ProcessEnd
{
    /// <summary>The ordinary exit runs native destructors while lanes still compute, which can crash or hang.</summary>
    public static void AtOnce(int exitCode)
    {
        if (OperatingSystem.IsWindows()) Environment.Exit(exitCode);
        else ExitWithoutDestructors(exitCode);
    }

    [DllImport("libc", EntryPoint = "_exit"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void ExitWithoutDestructors(int exitCode);
}
