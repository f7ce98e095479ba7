using Microsoft.Extensions.Configuration;

namespace DistributedEnsemble.Silo.Tests.Deploy;

public sealed class SecretFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ensemble-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_file_is_the_setting_that_its_name_says()
    {
        File.WriteAllText(Path.Combine(_folder, "ENSEMBLE__SERVING__ADMINKEY"), "0123456789abcdef\n");
        var configuration = new ConfigurationManager { ["Ensemble:Secrets"] = _folder };

        configuration.AddSecretFiles();

        Assert.Equal("0123456789abcdef", configuration["Ensemble:Serving:AdminKey"]);
    }

    [Fact]
    public void Without_a_folder_there_are_none()
    {
        var configuration = new ConfigurationManager();
        configuration.AddSecretFiles();
        Assert.Empty(configuration.AsEnumerable());
    }

    [Fact]
    public void A_folder_that_is_missing_is_named()
    {
        var configuration = new ConfigurationManager { ["Ensemble:Secrets"] = "/nowhere" };

        var missing = Assert.Throws<DirectoryNotFoundException>(configuration.AddSecretFiles);

        Assert.Equal("ENSEMBLE__SECRETS is /nowhere, which is no folder: it holds a file for each secret setting.", missing.Message);
    }
}
