namespace DistributedEnsemble.Cluster.Tests.Deploy;

/// <summary>What this program was built from.</summary>
internal static class Repository
{
    private static readonly string s_root = RootAbove(AppContext.BaseDirectory);

    public static string Configuration { get; } = AppContext.BaseDirectory.Contains("/Release/", StringComparison.Ordinal) ? "Release" : "Debug";

    public static string File(string path) => Path.Combine(s_root, path);

    private static string RootAbove(string folder) =>
        System.IO.File.Exists(Path.Combine(folder, "DistributedEnsemble.sln")) ? folder : RootAbove(Path.GetDirectoryName(folder)!);
}
