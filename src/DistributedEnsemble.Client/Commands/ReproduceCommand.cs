using System.CommandLine;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Reports.Experiments;
using DistributedEnsemble.Training.Data;
using Spectre.Console;

namespace DistributedEnsemble.Client.Commands;

internal sealed class ReproduceCommand : DriverCommand
{
    private readonly Option<bool> _quick = new("--quick")
    {
        Description = "The same comparisons on the digits, in less than two minutes; leaves a full run's page alone.",
    };

    private readonly Option<string> _output = new("--output")
    {
        Description = "The folder of the page; data and plots go into a folder beside it.", HelpName = "DIR",
        DefaultValueFactory = _ => "./docs",
    };

    public ReproduceCommand(SharedOptions shared, Consoles consoles, TimeProvider time)
        : base(
            "reproduce", "Measures every claim about averaging again, over several seeds, and writes the page of experiments.",
            "ensemble reproduce --quick", "ensemble reproduce --output /tmp/experiments")
    {
        Add(_quick);
        Add(_output);
        SetAction(parsed =>
        {
            var (quick, output) = (parsed.GetValue(_quick), parsed.GetValue(_output)!);
            if (File.Exists(output)) throw new UsageException($"--output {output} is a file: it takes a folder.");
            var results = Reproduction.Run(
                quick ? Suite.Quick : Suite.Full, quick, output, new DataFolders(shared.Read(parsed).DataFolder), time,
                line => consoles.Error.WriteRaw(line), CancellationToken.None);
            var page = Path.Combine(output, $"{Reproduction.NameOf(quick)}.md");
            if (shared.Json(parsed)) consoles.Out.WriteJson(new { Page = Path.GetFullPath(page), results.Findings });
            else consoles.Out.Write(new Rows(FindingsTable.Of(results), new Text($"The page is {page}")));
        });
    }
}
