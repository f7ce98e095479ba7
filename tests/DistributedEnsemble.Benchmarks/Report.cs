using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Benchmarks;

/// <summary>A result, and what it takes to believe it: machine, date, commit and command.</summary>
internal static class Report
{
    /// <summary>How results are written.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerOptions.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>How this program is called, and what it is told of the processor: without it, another one would be measured.</summary>
    public static string Program => $"{(Switches.Count > 0 ? $"env {string.Join(' ', Switches)} " : "")}dotnet run -c Release --project tests/DistributedEnsemble.Benchmarks -- ";

    /// <summary>Variables by which the runtime, libtorch or one of its libraries leaves instructions out that the processor has.</summary>
    private static IReadOnlyList<string> Switches =>
    [
        .. new[] { "DOTNET_EnableAVX512", "DOTNET_EnableAVX2", "ATEN_CPU_CAPABILITY", "MKL_ENABLE_INSTRUCTIONS", "ONEDNN_MAX_CPU_ISA" }
            .Where(name => Environment.GetEnvironmentVariable(name) is not null).Select(name => $"{name}={Environment.GetEnvironmentVariable(name)}"),
    ];

    /// <summary>Machine, date, commit and command; folders of this machine are named FOLDER.</summary>
    public static ReportOrigin Origin(IEnumerable<string> arguments)
    {
        var machine = ThisMachine.Describe();
        return new ReportOrigin(
            Program + string.Join(' ', arguments.Select(argument => Path.IsPathRooted(argument) ? "FOLDER" : argument.Contains(' ') ? $"\"{argument}\"" : argument)),
            DateTime.UtcNow.ToString("yyyy-MM-dd"), Commit(),
            new ReportMachine(
                machine.Cpu, machine.InstructionSet + (Switches.Count > 0 ? $", forced by {string.Join(' ', Switches)}" : ""), Environment.ProcessorCount, RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription, machine.Libtorch));
    }

    public static void Write(object result, string[] arguments, FileInfo? output)
    {
        Console.Write(JsonOf(result, arguments));
        Save(result, arguments, output);
    }

    /// <summary>Writes the file, if there is to be one.</summary>
    public static void Save(object result, string[] arguments, FileInfo? output)
    {
        if (output is null) return;
        output.Directory!.Create();
        File.WriteAllText(output.FullName, JsonOf(result, arguments));
    }

    private static string JsonOf(object result, string[] arguments)
    {
        var (command, date, commit, machine) = Origin(arguments);
        return JsonSerializer.Serialize(new { Command = command, Date = date, Commit = commit, Machine = machine, Result = result }, Json) + "\n";
    }

    /// <summary>The commit of the working folder, with a + if files differ from it; null outside of a repository.</summary>
    private static string? Commit()
    {
        var head = Git("rev-parse", "--short", "HEAD");
        return head is null ? null : Git("status", "--porcelain", "--untracked-files=no") == "" ? head : head + "+";
    }

    private static string? Git(params string[] arguments)
    {
        try
        {
            using var git = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var text = git.StandardOutput.ReadToEnd().Trim();
            git.WaitForExit();
            return git.ExitCode == 0 ? text : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}

/// <summary>What it takes to believe a result.</summary>
/// <param name="Commit">With a + if files differed from it; null outside of a repository.</param>
internal sealed record ReportOrigin(string Command, string Date, string? Commit, ReportMachine Machine);

internal sealed record ReportMachine(string Cpu, string InstructionSet, int Cores, string System, string Runtime, string Libtorch);

/// <summary>What else the machine does.</summary>
internal static class Neighbours
{
    /// <summary>Processes that ran or waited to run, on average over the last minute; null where the system does not say.</summary>
    public static double? LoadAverage() => File.Exists("/proc/loadavg")
        ? double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture)
        : null;
}

/// <summary>The middle of several measurements, and how far they lie apart.</summary>
internal sealed record Spread(double Median, double Lowest, double Highest)
{
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        return new Spread(Math.Round(middle, 3), Math.Round(sorted[0], 3), Math.Round(sorted[^1], 3));
    }
}
