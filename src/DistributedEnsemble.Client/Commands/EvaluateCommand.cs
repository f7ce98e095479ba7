using System.CommandLine;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Runs;
using Spectre.Console;

namespace DistributedEnsemble.Client.Commands;

internal sealed class EvaluateCommand : DriverCommand
{
    private readonly Option<PredictionSource?> _from = new("--from")
    {
        Description = "Models that are averaged: final, snapshots or ema [default: the spec's]", HelpName = "final|snapshots|ema",
        CustomParser = result => OptionValues.OneOf<PredictionSource>(result, "--from"),
    };

    private readonly Option<string?> _select = new("--select")
    {
        Description = "Which of them: all, last:N of each member, or greedy [default: the spec's]", HelpName = "all|last:N|greedy",
    };

    private readonly Option<int?> _members = new("--members")
    {
        Description = "Only the first n members [default: all]", HelpName = "n",
        CustomParser = result => OptionValues.WholeNumber(result, "--members", "a number of members", from: 1),
    };

    private readonly Option<int?> _monteCarlo = new("--mc")
    {
        Description = "Dropout masks averaged per model; 0 is weight scaling [default: the spec's]", HelpName = "T",
        CustomParser = result => OptionValues.WholeNumber(result, "--mc", "a number of masks", from: 0),
    };

    public EvaluateCommand(Backend backend, SharedOptions shared, Consoles consoles)
        : base(
            "evaluate", "Measures a run on its test split, beside its single members.",
            "ensemble evaluate digits-1", "ensemble evaluate digits-1 --members 3 --json")
    {
        var run = new NamedRun(shared);
        Add(run.Argument);
        foreach (var option in new Option[] { _from, _select, _members, _monteCarlo }) Add(option);
        SetAction(parsed =>
        {
            var options = shared.Read(parsed);
            var catalog = backend.OpenCatalog(options);
            var status = run.Find(parsed, catalog);
            var choice = new ConstituentChoice(
                parsed.GetValue(_from), parsed.GetValue(_select), parsed.GetValue(_members), parsed.GetValue(_monteCarlo));
            var report = catalog.Evaluate(status.Run, choice, CancellationToken.None);
            if (shared.Json(parsed)) consoles.Out.WriteJson(RunReport.Of(status, report, options.RunsFolder));
            else consoles.Out.Write(ResultTable.Of(report));
        });
    }
}
