using System.IO.Compression;

namespace DistributedEnsemble.Cluster.Tests.Deploy;

/// <summary>The packages of the libraries, as whoever has no sources gets them.</summary>
public sealed class PackageTests : IDisposable
{
    private static readonly string[] s_sample = ["Program.cs", "Gated.cs", "spec.json"];

    /// <summary>Nothing by hand: what Debian 12 needs comes with the packages.</summary>
    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk.Worker">
          <PropertyGroup>
            <TargetFramework>net10.0</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
            <Nullable>enable</Nullable>
            <UseCurrentRuntimeIdentifier>true</UseCurrentRuntimeIdentifier>
            <SelfContained>false</SelfContained>
            <CreateHardLinksForCopyLocalIfPossible>true</CreateHardLinksForCopyLocalIfPossible>
            <OutDir>built/</OutDir>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="DistributedEnsemble.Grains" Version="1.0.0" />
          </ItemGroup>
        </Project>
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 600_000)]
    public async Task A_host_trains_that_has_nothing_but_the_packages()
    {
        await HostNetwork.SkipUnlessPermittedAsync();
        var feed = _folder.File("feed");
        foreach (var library in new[] { "Abstractions", "Training", "Grains" })
        {
            await LocalProcess.RunAsync("dotnet", [
                "pack", Repository.File("src", $"DistributedEnsemble.{library}"), "--no-build", "--configuration", Repository.Configuration, "--output", feed,
                "--verbosity", "quiet", "-p:GenerateDocumentationFile=false", "-nodeReuse:false"]);
            using var package = ZipFile.OpenRead(Path.Combine(feed, $"DistributedEnsemble.{library}.1.0.0.nupkg"));
            foreach (var file in new[] { "LICENSE", "THIRD-PARTY-NOTICES.txt", "README.md" }) Assert.NotNull(package.GetEntry(file));
            using var description = new StreamReader(package.GetEntry($"DistributedEnsemble.{library}.nuspec")!.Open());
            Assert.Contains("<license type=\"expression\">MIT</license>", description.ReadToEnd(), StringComparison.Ordinal);
        }

        foreach (var file in s_sample) File.Copy(Repository.File("samples", "OwnNetwork", file), _folder.File(file));
        File.WriteAllText(_folder.File("own-host.csproj"), Project);
        File.WriteAllText(_folder.File("nuget.config"), $"""<configuration><packageSources><add key="packed" value="{feed}" /></packageSources></configuration>""");
        // Packages of this test stay its own; all others are on this machine already.
        var known = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        await LocalProcess.RunAsync("dotnet", [
            "build", _folder.File("own-host.csproj"), "--configuration", Repository.Configuration, "--verbosity", "quiet",
            $"-p:RestorePackagesPath={_folder.File("packages")}", $"-p:RestoreFallbackFolders={known}", "-p:UseSharedCompilation=false", "-nodeReuse:false"]);
        File.Copy(_folder.File("spec.json"), _folder.File("built/spec.json"), overwrite: true);

        await using var host = new LocalProcess("unshare", "--net", "sh", "-c", "ip link set lo up && cd \"$1\" && exec built/own-host", "sh", _folder.Path);

        Assert.True(await host.ExitAsync() == 0, $"{host.Output}{host.Errors}");
        Assert.EndsWith("The run is Completed, exact: \n", host.Output, StringComparison.Ordinal);
    }
}
