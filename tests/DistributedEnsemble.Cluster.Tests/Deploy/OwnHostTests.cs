using System.Text.RegularExpressions;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Cluster.Tests.Deploy;

/// <summary>The samples of hosts with something of their own, in a folder outside of this one.</summary>
public sealed partial class OwnHostTests : IDisposable
{
    /// <summary>What a project outside of this folder needs to be built on its sources.</summary>
    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk.Worker">
          <PropertyGroup>
            <TargetFramework>net10.0</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
            <Nullable>enable</Nullable>
            <AllowUnsafeBlocks>true</AllowUnsafeBlocks>
            <UseCurrentRuntimeIdentifier>true</UseCurrentRuntimeIdentifier>
            <SelfContained>false</SelfContained>
            <CreateHardLinksForCopyLocalIfPossible>true</CreateHardLinksForCopyLocalIfPossible>
            <OutDir>built/</OutDir>
          </PropertyGroup>
          <ItemGroup>
            <ProjectReference Include="SOURCES/src/DistributedEnsemble.Grains/DistributedEnsemble.Grains.csproj" />
            <!-- Those of it, which come by themselves where it is built, too. -->
            <ProjectReference Include="SOURCES/src/DistributedEnsemble.Training/DistributedEnsemble.Training.csproj" />
            <ProjectReference Include="SOURCES/src/DistributedEnsemble.Abstractions/DistributedEnsemble.Abstractions.csproj" />
          </ItemGroup>
          <Import Project="SOURCES/build/RelaxLibstdcxx.targets" />
        </Project>
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory(Timeout = 300_000)]
    [InlineData("OwnNetwork", "AddModule", "The run is Completed, exact.\n", "runs/digits-1")]
    [InlineData("OwnTask", "TaskRegistry.Add", "The run is Completed, exact; its task is laplace.\n", "runs/waves-1")]
    public async Task A_sample_of_what_is_ones_own_is_what_the_page_on_hosts_shows_and_trains(string sample, string named, string said, string run)
    {
        // Their silos have the default ports, which Orleans shares with whoever has them already.
        await HostNetwork.SkipUnlessPermittedAsync();
        var program = File.ReadAllText(Repository.File("samples", sample, "Program.cs"));
        var shown = CSharp().Matches(File.ReadAllText(Repository.File("docs", "hosts.md"))).Select(block => block.Groups["code"].Value)
            .Single(code => code.Contains(named, StringComparison.Ordinal));
        Assert.Contains(WithoutSpaces(shown), WithoutSpaces(program), StringComparison.Ordinal);
        foreach (var file in Directory.EnumerateFiles(Repository.File("samples", sample), "*.*").Where(file => Path.GetExtension(file) is ".cs" or ".json"))
            File.Copy(file, _folder.File(Path.GetFileName(file)));
        File.WriteAllText(_folder.File("own-host.csproj"), Project.Replace("SOURCES", Repository.File()));
        await BuildAsync();
        File.Copy(_folder.File("spec.json"), _folder.File("built/spec.json"), overwrite: true);

        await using var host = Run();

        Assert.True(await host.ExitAsync() == 0, $"{host.Output}{host.Errors}");
        // A host that is slow to start says so, too.
        Assert.Contains(said, host.Output, StringComparison.Ordinal);
        var recorded = EnsembleSpec.FromJson(File.ReadAllText(_folder.File(Path.Combine(run, "spec.json"))));
        var asked = SpecDocument.Parse(File.ReadAllText(_folder.File("spec.json"))).Resolve(null, [recorded.Model.Kind]);
        Assert.Equal((asked.Model.Kind, asked.Model.Settings), (recorded.Model.Kind, recorded.Model.Settings));
    }

    /// <summary>What it refers to is built already, and other tests run it.</summary>
    private async Task BuildAsync() => await LocalProcess.RunAsync("dotnet", [
        "build", _folder.File("own-host.csproj"), "--configuration", Repository.Configuration, "--verbosity", "quiet",
        "-p:BuildProjectReferences=false", "-p:UseSharedCompilation=false", "-nodeReuse:false"]);

    private LocalProcess Run() => new("unshare", "--net", "sh", "-c", "ip link set lo up && cd \"$1\" && exec built/own-host", "sh", _folder.Path);

    private static string WithoutSpaces(string code) => string.Concat(code.Where(letter => !char.IsWhiteSpace(letter)));

    [GeneratedRegex(@"^```csharp\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CSharp();
}
