using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Serving.Processes;
using DistributedEnsemble.Training.Verification;

namespace DistributedEnsemble.Client.Commands;

internal sealed class VerifyCommand : DriverCommand
{
    private readonly Option<int?> _member = new("--member")
    {
        Description = "Train only this member again [default: all]", HelpName = "i",
        CustomParser = result => OptionValues.WholeNumber(result, "--member", "a member", 0, 999_999),
    };

    private readonly Option<(int, int)?> _steps = new("--steps")
    {
        Description = "Compare only what lies at these steps; training begins at the first.", HelpName = "a..b", CustomParser = Range,
    };

    private readonly Option<int?> _sample = new("--sample")
    {
        Description = "Train only so many members again, drawn at random.", HelpName = "n",
        CustomParser = result => OptionValues.WholeNumber(result, "--sample", "a number of members", 1, 999_999),
    };

    private readonly Option<string?> _key = new("--key")
    {
        Description = "Train nothing: compare the folder with what was signed with this key.", HelpName = "key.pem",
    };

    public VerifyCommand(Backend backend, SharedOptions shared, Consoles consoles, Func<Interruption> listen)
        : base(
            "verify", "Trains a run again, and compares what comes out with each sha256 that it recorded.",
            "ensemble verify digits-1", "ensemble verify digits-1 --sample 1", "ensemble verify digits-1 --member 3 --steps 1..500",
            "ensemble verify digits-1 --key public.pem")
    {
        var run = new NamedRun(shared);
        Add(run.Argument);
        Add(_member);
        Add(_steps);
        Add(_sample);
        Add(_key);
        SetAction((parsed, _) => Stoppable.RunAsync(listen, consoles, "Stopped before all was compared: nothing is proven.", cancellation =>
        {
            var catalog = Folders(backend, shared, parsed, "verify");
            var name = run.Find(parsed, catalog, cancellation).Run;
            if (parsed.GetValue(_key) is { } key)
            {
                if (parsed.GetValue(_member) is not null || parsed.GetValue(_steps) is not null || parsed.GetValue(_sample) is not null)
                    throw new UsageException("--key compares with what was signed, and trains nothing: leave --member, --steps and --sample out, or --key.");
                var manifest = catalog.VerifySignature(name, key, cancellation);
                if (shared.Json(parsed)) consoles.Out.WriteJson(manifest);
                else consoles.Out.WriteRaw($"Run {name} is what was signed: its spec, its data's description, and {Words.Plural(manifest.Snapshots.Length + manifest.Ema.Length, "file")} of weights.");
                return ExitCode.Ok;
            }

            if (parsed.GetValue(_member) is not null && parsed.GetValue(_sample) is not null) throw new UsageException("--member chooses one, --sample draws them: leave one of the two out.");
            var choice = new VerificationChoice(parsed.GetValue(_member), parsed.GetValue(_steps), parsed.GetValue(_sample));
            var report = catalog.Verify(name, choice, member => consoles.Error.WriteRaw($"member {member} is trained again"), cancellation);
            if (shared.Json(parsed)) consoles.Out.WriteJson(report);
            else consoles.Out.WriteRaw(Line(report));
            return ExitCode.Ok;
        }));
    }

    /// <summary>The runs of a folder: only there are all files at hand.</summary>
    internal static FileRunCatalog Folders(Backend backend, SharedOptions shared, ParseResult parsed, string command) =>
        backend.OpenCatalog(shared.Read(parsed)) as FileRunCatalog
        ?? throw new UsageException($"{command} reads a run's folder: leave --cluster out, and name the folder that the silos share with --runs.");

    private static string Line(VerificationReport report)
    {
        var files = Words.Plural(report.Snapshots.Length, "snapshot") + (report.Ema.IsEmpty ? "" : $" and {Words.Plural(report.Ema.Length, "EMA model")}");
        var kernels = report.Kernels == "own" ? $"kernels of our own, version {report.Here.Kernels}, on {report.Here.InstructionSet}" : $"libtorch {report.Here.Libtorch}, on {report.Here.InstructionSet}";
        return $"Proven: training {Words.Plural(report.Members.Length, "member")} of run {report.Run} again gives the same sha256 of {files} ({kernels}).";
    }

    private static (int, int)? Range(ArgumentResult result)
    {
        var text = result.Tokens[^1].Value;
        if (text.Split("..") is [var from, var to] && int.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            && int.TryParse(to, NumberStyles.None, CultureInfo.InvariantCulture, out var last) && first >= 1 && last >= first) return (first, last);
        result.AddError($"--steps is {text}: it is a range of steps from 1, as in 1..500.");
        return null;
    }
}
