using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.RegularExpressions;
using DistributedEnsemble.Client.Clusters;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Client.Commands;

/// <summary>
/// --time-limit: the pace is measured before the training, and says how many epochs there are. The run's spec has that number, so
/// that it is repeated bit by bit wherever it is trained again.
/// </summary>
internal sealed partial class TimeLimit(TimeProvider time)
{
    private const string Name = "--time-limit";

    /// <summary>Of the time: checkpoints, the evaluation and other programs take some of it.</summary>
    private const double ForTraining = 0.9;

    private readonly Option<TimeSpan?> _option = new(Name)
    {
        Description = "The longest that it may take, such as 90s, 5m or 1h30m: fewer epochs are trained if need be.", HelpName = "TIME",
        CustomParser = Parse,
    };

    public Option Option => _option;

    /// <exception cref="UsageException">There is a limit, and a cluster: its lanes are not those of this process.</exception>
    public void Check(ParseResult parsed, EmbeddedOptions options)
    {
        if (parsed.GetValue(_option) is null || options.Cluster is null) return;
        throw new UsageException($"{Name} measures the lanes of this process, and the run is a cluster's: leave it out and give --epochs, "
            + "or train without --cluster.");
    }

    /// <summary>The spec with as many of its epochs as the time allows.</summary>
    /// <param name="began">When the command did.</param>
    /// <exception cref="UsageException">It does not allow one.</exception>
    public async Task<string> ApplyAsync(ParseResult parsed, ICluster cluster, string spec, long began, Action<string> tell, CancellationToken stopping)
    {
        if (parsed.GetValue(_option) is not { } limit) return spec;
        var pace = await cluster.Scheduler.MeasureAsync(new Submission(spec) { NamesPaths = true }, stopping);
        var allowed = Epochs(limit - time.GetElapsedTime(began), pace);
        var lanes = Words.Plural(pace.Lanes, "lane");
        if (allowed < 1)
        {
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{Name} is {InWords(limit)}: one epoch of all members takes about {pace.SecondsPerEpoch:0.0} s on {lanes}, ")
                + "after what it takes to begin. Give more time, or take fewer members.");
        }

        var epochs = (int)Math.Min(allowed, pace.Epochs);
        tell($"{InWords(limit)} allow {Words.Plural((long)allowed, "epoch")} at {Words.Rate(pace.StepsPerSecond)} member-steps/s on {lanes}: "
            + (epochs < pace.Epochs ? $"training.epochs is {epochs} in place of {pace.Epochs}." : $"all {pace.Epochs} of the spec are trained."));
        return SpecDocument.Parse(spec).With([("training.epochs", $"{epochs}")]).ToJson();
    }

    /// <summary>How many of them the time that is left allows, whole ones.</summary>
    internal static double Epochs(TimeSpan left, TrainingPace pace) => Math.Floor(left.TotalSeconds * ForTraining / pace.SecondsPerEpoch);

    private static TimeSpan? Parse(ArgumentResult result)
    {
        var text = result.Tokens[^1].Value;
        var match = Pattern().Match(text);
        var seconds = match.Success ? 3600 * Part(match, "h") + 60 * Part(match, "m") + Part(match, "s") : 0;
        if (seconds > 0 && seconds <= TimeSpan.FromDays(365).TotalSeconds) return TimeSpan.FromSeconds(seconds);
        result.AddError($"{Name} is {text}: it is a time above 0 and at most 365 days, such as 90s, 5m or 1h30m.");
        return null;
    }

    private static double Part(Match match, string unit) =>
        match.Groups[unit] is { Success: true } group ? double.Parse(group.Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) : 0;

    private static string InWords(TimeSpan limit)
    {
        var parts = new List<string>();
        if (limit.TotalHours >= 1) parts.Add($"{(int)limit.TotalHours} h");
        if (limit.Minutes > 0) parts.Add($"{limit.Minutes} min");
        if (limit.TotalSeconds % 60 is > 0 and var seconds) parts.Add(seconds.ToString("0.###", CultureInfo.InvariantCulture) + " s");
        return string.Join(" ", parts);
    }

    [GeneratedRegex(@"\A(?=.)((?<h>[0-9]{1,9}(\.[0-9]{1,9})?)h)?((?<m>[0-9]{1,9}(\.[0-9]{1,9})?)m)?((?<s>[0-9]{1,9}(\.[0-9]{1,9})?)s)?\z")]
    private static partial Regex Pattern();
}
