using System.Text.Json;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Serving.Processes;
using Spectre.Console;
using Spectre.Console.Testing;

namespace DistributedEnsemble.Client.Tests;

/// <summary>The program with consoles that a test can read, and a runs folder that goes with it.</summary>
internal sealed class TestDriver : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ensemble-").FullName;

    /// <summary>What the driver talks to; the real thing unless a test says otherwise.</summary>
    public Backend Backend { get; init; } = Wiring.Backend;

    /// <summary>Standard output of the command that runs.</summary>
    public TestConsole? Console { get; private set; }

    /// <summary>What a command that goes on has written on standard output by now.</summary>
    public string Written
    {
        get
        {
            while (true)
            {
                try
                {
                    return Console!.Output;
                }
                catch (ArgumentOutOfRangeException)
                {
                    // It was writing.
                }
            }
        }
    }

    /// <summary>Whether somebody sits before it.</summary>
    public bool IsTerminal { get; init; }

    /// <summary>The exit codes with which a second signal ended the process at once.</summary>
    public List<int> Exits { get; } = [];

    public string RunsFolder => Path.Combine(_folder, "runs");

    public IEnumerable<string> Runs => Directory.Exists(RunsFolder) ? Directory.GetFileSystemEntries(RunsFolder).Select(path => Path.GetFileName(path)!) : [];

    public string File(string name, string contents)
    {
        var path = Path.Combine(_folder, name);
        System.IO.File.WriteAllText(path, contents);
        return path;
    }

    public string Place(string name) => Path.Combine(_folder, name);

    /// <summary>Runs a command on the test's runs folder, with outputs that are no terminals.</summary>
    public Task<Outcome> RunAsync(params string[] arguments) => RunAsync(_ => { }, arguments);

    /// <param name="listening">Gets the interruption that a signal would reach.</param>
    public async Task<Outcome> RunAsync(Action<Interruption> listening, params string[] arguments)
    {
        using TestConsole output = new(), error = new();
        output.Profile.Width = error.Profile.Width = 200;
        (Console, output.Profile.Capabilities.Interactive, output.Profile.Capabilities.Ansi) = (output, IsTerminal, IsTerminal);
        var driver = new Driver(Backend, new Consoles(output, error), Wiring.Failures, TimeProvider.System, Listen);
        var exitCode = await driver.RunAsync([.. arguments, "--runs", RunsFolder]);
        return Outcome.Of(exitCode, output.Output, error.Output);

        Interruption Listen()
        {
            var interruption = new Interruption(Exits.Add);
            listening(interruption);
            return interruption;
        }
    }

    /// <summary>What a run's members have done together, as another terminal sees it; 0 before there is such a run.</summary>
    public async Task<long> StepsAsync(string run)
    {
        var status = await RunAsync("status", run, "--json");
        return status.ExitCode == 0 ? status.Json.GetProperty("steps").GetInt64() : 0;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}

/// <summary>What a command left behind.</summary>
internal sealed record Outcome(int ExitCode, string Out, string Error)
{
    private const string Loading = "Loading the data …\n";

    /// <summary>Whether standard error began with the line that something goes on, which is then no part of <see cref="Error"/>.</summary>
    public bool SaidAtOnce { get; private init; }

    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Standard output as the one JSON object that it must be.</summary>
    public JsonElement Json => JsonElement.Parse(Out);

    public static Outcome Of(int exitCode, string output, string error) =>
        error.StartsWith(Loading, StringComparison.Ordinal) ? new(exitCode, output, error[Loading.Length..]) { SaidAtOnce = true } : new(exitCode, output, error);

    public Outcome Succeeded()
    {
        Assert.True(ExitCode == 0, $"The exit code is {ExitCode}: {Error}");
        return this;
    }

    /// <summary>One line on standard error, and nothing on standard output.</summary>
    public void Refused(int exitCode, string error) => Assert.Equal((exitCode, error + "\n", ""), (ExitCode, Error, Out));
}
