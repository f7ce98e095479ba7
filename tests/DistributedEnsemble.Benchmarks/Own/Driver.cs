using System.Diagnostics;
using System.Text.Json.Nodes;

namespace DistributedEnsemble.Benchmarks.Own;

/// <summary>The driver, `ensemble`, of some build.</summary>
internal sealed class Driver(string program)
{
    public string Program => program;

    /// <summary>That of this build.</summary>
    public static Driver Ours { get; } = new(Path.Combine(AppContext.BaseDirectory, "ensemble"));

    /// <param name="checkout">Whose driver is built.</param>
    public static Driver Of(string checkout)
    {
        var program = Directory.EnumerateFiles(Path.Combine(checkout, "src", "DistributedEnsemble.Client", "bin", "Release"), "ensemble", SearchOption.AllDirectories).FirstOrDefault();
        return new Driver(program ?? throw new InvalidOperationException(
            $"{checkout} has no built driver: `dotnet build -c Release src/DistributedEnsemble.Client` there."));
    }

    /// <summary>Trains a spec in a folder of runs.</summary>
    public Trained Train(string runs, string spec, int lanes, string? data = null, params string[] arguments)
    {
        var file = Path.Combine(runs, "spec.json");
        File.WriteAllText(file, spec);
        return Run(["train", file, "--runs", runs, "--lanes", $"{lanes}", "--json", .. data is null ? Array.Empty<string>() : ["--data", data], .. arguments]);
    }

    public Trained Run(params string[] arguments)
    {
        var (clock, firstStep, peak) = (Stopwatch.StartNew(), double.NaN, 0L);
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = new List<string>();
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null) return;
            errors.Add(line.Data);
            if (double.IsNaN(firstStep) && line.Data.Contains("completed at step", StringComparison.Ordinal)) firstStep = clock.Elapsed.TotalSeconds;
        };
        process.BeginErrorReadLine();
        var output = process.StandardOutput.ReadToEndAsync();
        // The greatest so far: the last look is a moment before the end.
        while (!process.WaitForExit(20)) peak = Math.Max(peak, PeakBytes(process.Id));
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {string.Join(' ', errors.TakeLast(3))}");
        return new Trained(JsonNode.Parse(output.Result)!.AsObject(), firstStep, peak);
    }

    private static long PeakBytes(int process)
    {
        const string Key = "VmHWM:";
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line[Key.Length..].Replace("kB", "", StringComparison.Ordinal)) * 1024;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}

/// <param name="Report">What --json printed.</param>
/// <param name="FirstMember">Seconds from the program's start until it said that a member had trained to its end.</param>
/// <param name="PeakBytes">Resident memory at most.</param>
internal sealed record Trained(JsonObject Report, double FirstMember, long PeakBytes)
{
    public double Seconds => (double)Report["trainSeconds"]!;

    public double StepsPerSecond => (double)Report["memberStepsPerSecond"]!;
}
