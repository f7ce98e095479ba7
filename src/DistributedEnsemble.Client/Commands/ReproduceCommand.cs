using System.CommandLine;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Reports.Experiments;
using DistributedEnsemble.Serving.Processes;
using DistributedEnsemble.Training.Data;
using Spectre.Console;

namespace DistributedEnsemble.Client.Commands;

internal sealed class ReproduceCommand : DriverCommand
{
    private readonly Option<bool> _quick = new("--quick")
    {
        Description = "The same comparisons on the digits, in less than two minutes; leaves a full run's page alone.",
    };

    private readonly Option<string?> _only = new("--only")
    {
        Description = $"A part of it alone: {EarlyExitResults.Part}, what rows lose that ask no more members than they need.", HelpName = "PART",
        CustomParser = result =>
        {
            if (result.Tokens[^1].Value is var part && part != EarlyExitResults.Part) result.AddError($"--only is {part}: the part that can be measured alone is {EarlyExitResults.Part}.");
            return EarlyExitResults.Part;
        },
    };

    private readonly Option<int?> _seeds = new("--seeds")
    {
        Description = "How many seeds there are to be; those that the folder has of this version are kept. Only with --only.", HelpName = "n",
        CustomParser = result => OptionValues.WholeNumber(result, "--seeds", "a number of seeds", from: 1, to: 1000),
    };

    private readonly Option<string> _output = new("--output")
    {
        Description = "The folder of the page; data and plots go into a folder beside it.", HelpName = "DIR",
        DefaultValueFactory = _ => "./docs",
    };

    public ReproduceCommand(SharedOptions shared, Consoles consoles, TimeProvider time, Func<Interruption> listen)
        : base(
            "reproduce", "Measures every claim about averaging again, over several seeds, and writes the page of experiments.",
            "ensemble reproduce --quick", "ensemble reproduce --output /tmp/experiments", "ensemble reproduce --only early-exit")
    {
        _output.RefuseEmpty("a folder");
        foreach (var option in new Option[] { _quick, _only, _seeds, _output }) Add(option);
        SetAction((parsed, _) => Stoppable.RunAsync(listen, consoles, "Stopped before all was measured.", cancellation =>
        {
            var (quick, output) = (parsed.GetValue(_quick), parsed.GetValue(_output)!);
            if (File.Exists(output)) throw new UsageException($"--output {output} is a file: it takes a folder.");
            var (suite, data, seeds) = (quick ? Suite.Quick : Suite.Full, new DataFolders(shared.Read(parsed).DataFolder), parsed.GetValue(_seeds));
            if (parsed.GetValue(_only) is not null)
            {
                Reproduction.RunEarlyExit(suite, quick, seeds ?? suite.Seeds, output, data, time, line => consoles.Error.WriteRaw(line), cancellation);
                var file = Path.Combine(output, Reproduction.NameOf(quick), EarlyExitResults.File);
                if (shared.Json(parsed)) consoles.Out.WriteJson(new { Data = Path.GetFullPath(file) });
                else consoles.Out.Write(new Text($"The data is {file}"));
                return ExitCode.Ok;
            }

            if (seeds is not null) throw new UsageException("--seeds is for a part of the experiments: give --only, too.");
            var results = Reproduction.Run(suite, quick, output, data, time, line => consoles.Error.WriteRaw(line), cancellation);
            var page = Path.Combine(output, $"{Reproduction.NameOf(quick)}.md");
            if (shared.Json(parsed)) consoles.Out.WriteJson(new { Page = Path.GetFullPath(page), results.Findings });
            else consoles.Out.Write(new Rows(FindingsTable.Of(results), new Text($"The page is {page}")));
            return ExitCode.Ok;
        }));
    }
}
