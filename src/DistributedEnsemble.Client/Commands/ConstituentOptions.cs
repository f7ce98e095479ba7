using System.CommandLine;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Client.Commands;

/// <summary>The options that say which models are averaged; what is not given is as the run's spec has it.</summary>
internal sealed class ConstituentOptions
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
        CustomParser = result => OptionValues.WholeNumber(result, "--members", "a number of members", from: 1, to: 1000),
    };

    private readonly Option<int?> _monteCarlo = new("--mc")
    {
        Description = "Dropout masks averaged per model; 0 is weight scaling [default: the spec's]", HelpName = "T",
        CustomParser = result => OptionValues.WholeNumber(result, "--mc", "a number of masks", from: 0, to: 100_000),
    };

    private readonly Option<double?> _earlyExit = new("--early-exit")
    {
        Description = "Ask a row of no more members when these would change its label, or a tenth of its interval, with at most this probability; 0 asks all [default: 0, or what the server says]", HelpName = "0.001",
        CustomParser = result => OptionValues.Probability(result, "--early-exit", "asks all members"),
    };

    /// <param name="withEarlyExit">Whether rows may be asked of fewer members.</param>
    public void AddTo(Command command, bool withEarlyExit = false)
    {
        foreach (var option in new Option[] { _from, _select, _members, _monteCarlo }) command.Add(option);
        if (withEarlyExit) command.Add(_earlyExit);
    }

    public ConstituentChoice Read(ParseResult parsed) =>
        new(parsed.GetValue(_from), parsed.GetValue(_select), parsed.GetValue(_members), parsed.GetValue(_monteCarlo)) { EarlyExit = parsed.GetValue(_earlyExit) };
}
