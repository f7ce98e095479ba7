using System.Text.RegularExpressions;
using System.Xml.Linq;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Cluster.Tests.Deploy;

/// <summary>The packages, as whoever has no sources gets them.</summary>
public sealed partial class PackageTests(PackedFeed feed) : IClassFixture<PackedFeed>, IDisposable
{
    /// <summary>Beside the host in its process: asks its silo to train the host's network.</summary>
    private const string Visitor = """"
        using System.Diagnostics;
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
                var status = await grains.GetGrain<ICoordinator>(run.ToString()).WhenAtRestAsync();
                await Alone.RunAsync([]);
                using var asking = Process.Start("../asking/built/Asking");
                await asking.WaitForExitAsync();
                Console.WriteLine($"The run is {status.State}: {status.Reason}");
            }
        }
        """";

    /// <summary>A program of the console with the packages that the page of Abstractions names.</summary>
    private static readonly string s_asking = $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="DistributedEnsemble.Abstractions" Version="{PackedFeed.Version}" />
            <PackageReference Include="Microsoft.Orleans.Client" Version="{XDocument.Load(Repository.File("Directory.Packages.props")).Descendants("OrleansVersion").Single().Value}" />
          </ItemGroup>
        </Project>
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Abstractions")]
    [InlineData("Training")]
    [InlineData("Grains")]
    public void A_library_brings_its_comments_its_symbols_and_the_licences(string name)
    {
        var id = $"DistributedEnsemble.{name}";
        var package = feed.Package(id);

        AssertDescribed(package, id);
        Assert.Contains($"<name>{id}</name>", PackedFeed.Text(package, $"lib/net10.0/{id}.xml"), StringComparison.Ordinal);
        var symbols = PackedFeed.Bytes(Path.ChangeExtension(package, ".snupkg"), $"lib/net10.0/{id}.pdb");
        Assert.Equal(PackedFeed.SymbolsOf(PackedFeed.Bytes(package, $"lib/net10.0/{id}.dll")), PackedFeed.Read(symbols).Id);
        if (name == "Training")
            Assert.Equal(File.ReadAllText(Repository.File("build", "RelaxLibstdcxx.targets")), PackedFeed.Text(package, $"buildTransitive/{id}.targets"));
    }

    /// <summary>A clone of a repository that has an address, without the libraries: they would only take long.</summary>
    [Fact(Timeout = 300_000)]
    public async Task A_package_made_of_a_clone_leads_to_the_sources_of_its_commit()
    {
        const string Commit = "0123456789abcdef0123456789abcdef01234567";
        foreach (var file in new[] { "LICENSE", "THIRD-PARTY-NOTICES.txt", "Directory.Build.props", "Directory.Packages.props", "src/Directory.Build.props" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(file))!);
            File.Copy(Repository.File(file), _folder.File(file));
        }

        Directory.CreateDirectory(_folder.File(".git/objects"));
        Directory.CreateDirectory(_folder.File(".git/refs/heads"));
        File.WriteAllText(_folder.File(".git/HEAD"), "ref: refs/heads/main\n");
        File.WriteAllText(_folder.File(".git/refs/heads/main"), $"{Commit}\n");
        File.WriteAllText(_folder.File(".git/config"), "[core]\n\trepositoryformatversion = 0\n[remote \"origin\"]\n\turl = https://github.com/somebody/ensemble.git\n");
        Directory.CreateDirectory(_folder.File("src/Small"));
        File.WriteAllText(_folder.File("src/Small/Small.csproj"), """<Project Sdk="Microsoft.NET.Sdk" />""");
        File.WriteAllText(_folder.File("src/Small/README.md"), "# Small\n");
        File.WriteAllText(_folder.File("src/Small/Small.cs"), "namespace Small;\n\n/// <summary>A class.</summary>\npublic sealed class Small;\n");

        await PackedFeed.PackAsync(_folder.File("src/Small"), _folder.File("feed"));

        var package = _folder.File($"feed/Small.{PackedFeed.Version}.nupkg");
        var repository = AssertDescribed(package, "Small", _folder.File("src/Small/README.md")).Descendants().Single(element => element.Name.LocalName == "repository");
        Assert.Equal(("git", "https://github.com/somebody/ensemble.git", Commit), ((string?)repository.Attribute("type"), (string?)repository.Attribute("url"), (string?)repository.Attribute("commit")));
        var (_, link) = PackedFeed.Read(PackedFeed.Bytes(Path.ChangeExtension(package, ".snupkg"), "lib/net10.0/Small.pdb"));
        Assert.Contains($"https://raw.githubusercontent.com/somebody/ensemble/{Commit}/*", link, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task The_tool_installed_from_its_package_trains_in_an_empty_folder()
    {
        AssertDescribed(feed.Package("DistributedEnsemble.Client"), "DistributedEnsemble.Client");
        await RunAsync(["dotnet", "tool", "install", "DistributedEnsemble.Client", "--tool-path", _folder.File("tools"), "--configfile", feed.Configuration],
            new() { ["NUGET_PACKAGES"] = _folder.File("packages") });
        Directory.CreateDirectory(_folder.File("empty"));

        var printed = await RunAsync(["sh", "-c", "cd \"$1\" && exec ../tools/ensemble train --members 2 --epochs 2 --name first", "sh", _folder.File("empty")]);

        Assert.Contains("ensemble of 2", printed, StringComparison.Ordinal);
        Assert.Equal(["runs"], Directory.EnumerateFileSystemEntries(_folder.File("empty")).Select(Path.GetFileName));
        Assert.Equal(RunState.Completed, RunStatusJson.FromJson(File.ReadAllText(_folder.File("empty/runs/first/run.json"))).State);
    }

    [Fact(Timeout = 300_000)]
    public async Task The_readmes_own_host_comes_from_the_template_trains_with_the_packages_alone_and_stops_when_it_is_asked_to()
    {
        // Its silo has the default ports, which Orleans shares with whoever has them already.
        await HostNetwork.SkipUnlessPermittedAsync();
        AssertDescribed(feed.Package("DistributedEnsemble.Templates"), "DistributedEnsemble.Templates");
        string[] hive = ["--debug:custom-hive", _folder.File("hive")], make = ["dotnet", "new", "ensemble-host", "--name", "Own", "--output", _folder.File("own"), .. hive];
        await RunAsync(["dotnet", "new", "install", feed.Package("DistributedEnsemble.Templates"), .. hive]);
        await RunAsync(make);
        var sample = CSharp().Matches(File.ReadAllText(Repository.File("README.md"))).Select(block => block.Groups["code"].Value)
            .Single(code => code.Contains("Host.CreateApplicationBuilder", StringComparison.Ordinal));
        Assert.Equal(sample, File.ReadAllText(_folder.File("own/Program.cs")));
        Assert.Equal(sample, Sample(ReadmeOf("DistributedEnsemble.Grains")));
        Assert.Equal(["Own.csproj", "Program.cs"], Directory.EnumerateFileSystemEntries(_folder.File("own")).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        // A name that is taken: nothing is written over.
        await using var again = new LocalProcess(make[0], make[1..]);
        Assert.NotEqual(0, await again.ExitAsync());
        Assert.Contains("Overwrite", again.Errors, StringComparison.Ordinal);
        Assert.Contains("--force", again.Errors, StringComparison.Ordinal);

        File.WriteAllText(_folder.File("own/Visitor.cs"), Visitor);
        File.WriteAllText(_folder.File("own/Alone.cs"), Method("Alone", "string[] args", Sample(ReadmeOf("DistributedEnsemble.Training"))));
        File.WriteAllText(_folder.File("own/Submitting.cs"), Method("Submitting", "IGrainFactory grains", Sample(ReadmeOf("DistributedEnsemble.Grains"), 1)));
        Directory.CreateDirectory(_folder.File("asking"));
        File.WriteAllText(_folder.File("asking/Asking.csproj"), s_asking);
        File.WriteAllText(_folder.File("asking/Program.cs"), Sample(ReadmeOf("DistributedEnsemble.Abstractions")));
        // Packages of this test stay its own; all others are on this machine already.
        var known = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        foreach (var program in new[] { "own", "asking" })
        {
            await RunAsync([
                "dotnet", "build", _folder.File(program), "--configuration", Repository.Configuration, "--verbosity", "quiet", "-p:OutDir=built/", $"-p:RestoreConfigFile={feed.Configuration}",
                $"-p:RestorePackagesPath={_folder.File("packages")}", $"-p:RestoreFallbackFolders={known}", "-p:UseSharedCompilation=false", "-nodeReuse:false"]);
        }

        await using var host = new LocalProcess("unshare", "--net", "sh", "-c", "ip link set lo up && cd \"$1\" && exec built/Own", "sh", _folder.File("own"));
        await Until.TrueAsync(() => host.HasExited || host.Output.Contains("The run is ", StringComparison.Ordinal));
        Assert.True(host.Output.Contains("The run is Completed: \n", StringComparison.Ordinal), $"{host.Output}{host.Errors}");
        // What the pages of the libraries show: labels, and what a second run says of itself.
        Assert.Matches(@"(?m)^\d( \d){359}\n", host.Output);
        Assert.Matches(@"(?m)^Completed: \d\.\d{3} nats\n", host.Output);
        Assert.Equal(RunState.Completed, RunStatusJson.FromJson(File.ReadAllText(_folder.File("own/runs/own/run.json"))).State);
        host.Signal(Signal.Terminate);

        Assert.True(await host.ExitAsync() == 0, $"{host.Output}{host.Errors}");
    }

    private static Task<string> RunAsync(string[] command, Dictionary<string, string>? environment = null) => LocalProcess.RunAsync(command[0], command[1..], environment);

    /// <returns>The package's description.</returns>
    private static XDocument AssertDescribed(string package, string id, string? readme = null)
    {
        foreach (var (file, from) in new[] { ("README.md", readme ?? ReadmeOf(id)), ("LICENSE", Repository.File("LICENSE")), ("THIRD-PARTY-NOTICES.txt", Repository.File("THIRD-PARTY-NOTICES.txt")) })
            Assert.Equal(File.ReadAllText(from), PackedFeed.Text(package, file));
        // Who reads it has no clone, and no page that shows it follows links within a repository or takes HTML.
        Assert.DoesNotMatch(ElsewhereOrHtml(), PackedFeed.Text(package, "README.md"));
        var description = XDocument.Parse(PackedFeed.Text(package, $"{id}.nuspec").TrimStart('\uFEFF'));
        var license = description.Descendants().Single(element => element.Name.LocalName == "license");
        Assert.Equal(("expression", "MIT"), ((string?)license.Attribute("type"), license.Value));
        Assert.Equal("README.md", description.Descendants().Single(element => element.Name.LocalName == "readme").Value);
        return description;
    }

    private static string ReadmeOf(string id) => Repository.File("src", id, "README.md");

    /// <summary>What a page has in C#.</summary>
    private static string Sample(string page, int place = 0) => CSharp().Matches(File.ReadAllText(page))[place].Groups["code"].Value;

    /// <summary>A program's statements as a method's of a class.</summary>
    private static string Method(string type, string parameter, string program)
    {
        var lines = program.Split('\n');
        var usings = lines.TakeWhile(line => line.StartsWith("using ", StringComparison.Ordinal) && line.EndsWith(';') && !line.Contains('=')).ToArray();
        return $$"""
            {{string.Join('\n', usings)}}
            internal static class {{type}}
            {
                internal static async Task RunAsync({{parameter}})
                {
                    await Task.CompletedTask;
                    {{string.Join('\n', lines.Skip(usings.Length))}}
                }
            }
            """;
    }

    [GeneratedRegex(@"\]\((?!https?://)|</?(img|a|p|br|div|table)\b")]
    private static partial Regex ElsewhereOrHtml();

    [GeneratedRegex(@"^```csharp\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CSharp();
}
