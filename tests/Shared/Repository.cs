namespace DistributedEnsemble.Tests;

/// <summary>Files of the source tree that this test was built from.</summary>
internal static class Repository
{
    public static string File(params string[] path) => Path.Combine([Root, .. path]);

    /// <summary>How the programs beside this test were built.</summary>
    public static string Configuration { get; } = AppContext.BaseDirectory.Contains("/Release/", StringComparison.Ordinal) ? "Release" : "Debug";

    private static string Root { get; } = FindRoot(new DirectoryInfo(AppContext.BaseDirectory));

    private static string FindRoot(DirectoryInfo? folder) => folder is null ? throw new InvalidOperationException("The tests lie outside of the source tree.")
        : System.IO.File.Exists(Path.Combine(folder.FullName, "DistributedEnsemble.sln")) ? folder.FullName
        : FindRoot(folder.Parent);
}
