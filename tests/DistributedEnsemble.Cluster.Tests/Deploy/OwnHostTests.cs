using System.Text.RegularExpressions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Cluster.Tests.Deploy;

/// <summary>The README's host of one's own, built and run from its text.</summary>
public sealed partial class OwnHostTests : IDisposable
{
    /// <summary>Settings are those that the README names for a host outside of this folder.</summary>
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

    /// <summary>Beside the sample in its process: asks its silo to train the sample's network.</summary>
    private const string Visitor = """"
        using System.Runtime.CompilerServices;
        using DistributedEnsemble.Runs;
        using DistributedEnsemble.Scheduling;

        internal static class Visitor
        {
            [ModuleInitializer]
            internal static void Come() => _ = Task.Run(TrainAsync);

            private static async Task TrainAsync()
            {
                var builder = Host.CreateApplicationBuilder();
                builder.Logging.ClearProviders();
                builder.UseOrleansClient(client => client.UseLocalhostClustering().UseConnectionRetryFilter((_, _) => Task.FromResult(true)));
                using var host = builder.Build();
                await host.StartAsync();
                var grains = host.Services.GetRequiredService<IGrainFactory>();
                var run = await grains.GetGrain<IScheduler>(IScheduler.Key).SubmitAsync(new Submission(
                    """{ "name": "own", "members": 2, "data": { "dataset": "digits" }, "model": { "kind": "two-layers" }, "training": { "epochs": 1 } }"""));
                RunStatus status;
                do status = await grains.GetGrain<ICoordinator>(run.ToString()).GetStatusAsync();
                while (!status.HasEnded);
                Console.WriteLine($"The run is {status.State}: {status.Reason}");
            }
        }
        """";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 300_000)]
    public async Task The_readmes_own_host_trains_its_own_network_and_stops_when_it_is_asked_to()
    {
        // Its silo has the default ports, which Orleans shares with whoever has them already.
        await HostNetwork.SkipUnlessPermittedAsync();
        var sample = CSharp().Matches(File.ReadAllText(Repository.File("README.md"))).Select(block => block.Groups["code"].Value)
            .Single(code => code.Contains("Host.CreateApplicationBuilder", StringComparison.Ordinal));
        File.WriteAllText(_folder.File("Program.cs"), sample);
        File.WriteAllText(_folder.File("Visitor.cs"), Visitor);
        File.WriteAllText(_folder.File("own-host.csproj"), Project.Replace("SOURCES", Repository.File()));
        await BuildAsync();

        await using var host = Run();
        await Until.TrueAsync(() => host.HasExited || host.Output.Contains("The run is ", StringComparison.Ordinal));
        Assert.True(host.Output.Contains("The run is Completed: \n", StringComparison.Ordinal), $"{host.Output}{host.Errors}");
        Assert.Equal(RunState.Completed, RunStatusJson.FromJson(File.ReadAllText(_folder.File("runs/own/run.json"))).State);
        host.Signal(Signal.Terminate);

        Assert.True(await host.ExitAsync() == 0, $"{host.Output}{host.Errors}");
    }

    [Theory(Timeout = 300_000)]
    [InlineData("OwnNetwork", "AddModule", "The run is Completed, exact: \n", "runs/digits-1")]
    [InlineData("OwnTask", "TaskRegistry.Add", "The run is Completed, exact; its task is laplace: \n", "runs/waves-1")]
    public async Task A_sample_of_what_is_ones_own_is_the_readmes_and_trains(string sample, string named, string said, string run)
    {
        await HostNetwork.SkipUnlessPermittedAsync();
        var program = File.ReadAllText(Repository.File("samples", sample, "Program.cs"));
        var shown = CSharp().Matches(File.ReadAllText(Repository.File("README.md"))).Select(block => block.Groups["code"].Value)
            .Single(code => code.Contains(named, StringComparison.Ordinal));
        Assert.Contains(WithoutSpaces(shown), WithoutSpaces(program), StringComparison.Ordinal);
        foreach (var file in Directory.EnumerateFiles(Repository.File("samples", sample), "*.*").Where(file => Path.GetExtension(file) is ".cs" or ".json"))
            File.Copy(file, _folder.File(Path.GetFileName(file)));
        File.WriteAllText(_folder.File("own-host.csproj"), Project.Replace("SOURCES", Repository.File()));
        await BuildAsync();
        File.Copy(_folder.File("spec.json"), _folder.File("built/spec.json"), overwrite: true);

        await using var host = Run();

        Assert.True(await host.ExitAsync() == 0, $"{host.Output}{host.Errors}");
        Assert.EndsWith(said, host.Output, StringComparison.Ordinal);
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
