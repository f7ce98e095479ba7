namespace DistributedEnsemble.Silo;

/// <summary>Settings that must not stand in an environment, which every listing of processes or containers shows.</summary>
internal static class SecretFiles
{
    private const string Folder = "ENSEMBLE__SECRETS";

    /// <summary>
    /// Adds the files of the folder that <c>ENSEMBLE__SECRETS</c> names: each is a setting, named as its environment variable
    /// (<c>ENSEMBLE__CLUSTER</c>) and holding its value. Docker and Kubernetes mount secrets in this form.
    /// </summary>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    public static void AddSecretFiles(this ConfigurationManager configuration)
    {
        if (configuration[Folder.Replace("__", ":")] is not { Length: > 0 } folder) return;
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{Folder} is {folder}, which is no folder: it holds a file for each secret setting.");
        configuration.AddKeyPerFile(Path.GetFullPath(folder));
    }
}
