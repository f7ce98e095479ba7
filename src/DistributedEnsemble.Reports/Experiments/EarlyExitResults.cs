using System.Globalization;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Reports.Plots;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>What ensembles lose whose rows ask no more members than they need: early-exit.json beside the page, and its section.</summary>
/// <param name="Date">The day on which it ended.</param>
/// <param name="Minutes">Of all seeds, with whatever else was trained for them.</param>
public sealed record EarlyExitResults(
    string Dataset, string Command, string Date, string Version, MachineInfo Machine, int Threads, double Minutes, IReadOnlyList<EarlyExitResult> Networks) : IPageSection
{
    public const string File = "early-exit.json";

    /// <summary>What people call it.</summary>
    public const string Part = "early-exit";

    private static readonly JsonSerializerOptions s_json = new(RunStatusJson.Options) { WriteIndented = true, NewLine = "\n" };

    public string ToJson() => JsonSerializer.Serialize(this, s_json) + "\n";

    /// <returns>Null if the folder has none.</returns>
    public static EarlyExitResults? Find(string folder) => Path.Combine(folder, File) is var path && System.IO.File.Exists(path)
        ? JsonSerializer.Deserialize<EarlyExitResults>(System.IO.File.ReadAllText(path), s_json)
        : null;

    /// <summary>Writes the data and its plot.</summary>
    /// <param name="folder">Of the experiments' data.</param>
    public void Write(string folder)
    {
        AtomicFile.Write(Path.Combine(folder, File), stream => stream.Write(Encoding.UTF8.GetBytes(ToJson())));
        using var figure = EarlyExitPlot.Draw(Networks);
        figure.Save(folder, Part);
    }

    void IPageSection.WriteTo(StringBuilder page, string name)
    {
        page.Append(CultureInfo.InvariantCulture, $"""

            ## Early exit

            Written by `{Command}` on {Date} with version {Version}, from [{File}]({name}/{File}): {Networks[0].BySeed.Count} seeds in
            {Minutes:0} minutes on {Threads} threads of {Machine.Cpu} ({Machine.InstructionSet}). A row asks one member after the other, in the order that the
            validation rows found best, and stops when more of them have no more than the probability on the left of changing its label, by a bound from the
            validation rows. The test rows chose nothing. Changes are beside all members, paired within the seed; numbers are means over seeds ± their standard error.

            ![Test error against the members that rows ask]({name}/{Part}.png)

            | network | probability | members that a row asks | times fewer | labels that change, % | test error, % | change of the error, points | change of the NLL |
            |---|--:|--:|--:|--:|--:|--:|--:|

            """);
        foreach (var network in Networks)
        {
            page.Append(CultureInfo.InvariantCulture, $"| {network.Title} | 0 | {network.Size} | 1 | 0 | {Of(network.OfSeeds(seed => seed.Errors[^1]), 100, "0.00")} | | |\n");
            foreach (var probability in network.Probabilities)
            {
                page.Append(CultureInfo.InvariantCulture,
                    $"| {network.Title} | {probability} | {Of(network.At(probability, (_, point) => point.Members), 1, "0.00")} | {network.TimesFewer(probability):0.0} | {Of(network.At(probability, (_, point) => point.Changed), 100, "0.00")} | "
                    + $"{Of(network.At(probability, (_, point) => point.Error), 100, "0.00")} | {Of(network.ErrorChange(probability), 100, "0.00", isSigned: true)} | {Of(network.At(probability, (seed, point) => point.Nll - seed.Nll), 1, "0.0000", isSigned: true)} |\n");
            }
        }

        page.Append('\n');
        foreach (var network in Networks.Where(network => network.Probabilities.Count > 0))
        {
            var least = network.Probabilities[0];
            page.Append(CultureInfo.InvariantCulture,
                $"- {network.Title}: at {least}, the smallest probability that was measured, rows ask {network.TimesFewer(least):0.0} times fewer members, and the error changes by {Of(network.ErrorChange(least), 100, "0.00", isSigned: true)} points.\n");
        }
    }

    private static string Of(Estimate estimate, double factor, string format, bool isSigned = false)
    {
        var mean = (factor * estimate.Mean).ToString(isSigned ? $"+{format};−{format};{format}" : format, CultureInfo.InvariantCulture);
        return estimate.StandardError is { } error ? $"{mean} ± {(factor * error).ToString(format, CultureInfo.InvariantCulture)}" : mean;
    }
}

/// <param name="BySeed">In the order of the seeds.</param>
public sealed record EarlyExitResult(string Title, IReadOnlyList<EarlyExitSeed> BySeed)
{
    /// <summary>Members of the whole ensemble.</summary>
    internal int Size => BySeed[0].Errors.Count;

    /// <summary>Those that the validation rows of all seeds can promise, ascending.</summary>
    internal IReadOnlyList<double> Probabilities =>
        [.. BySeed[0].Points.Select(point => point.Probability).Where(probability => BySeed.All(seed => seed.Points.Any(point => point.Probability == probability))).Order()];

    internal Estimate OfSeeds(Func<EarlyExitSeed, double> measure) => Estimate.Of([.. BySeed.Select(measure)]);

    internal Estimate At(double probability, Func<EarlyExitSeed, EarlyExitPoint, double> measure) =>
        OfSeeds(seed => measure(seed, seed.Points.Single(point => point.Probability == probability)));

    internal Estimate ErrorChange(double probability) => At(probability, (seed, point) => point.Error - seed.Errors[^1]);

    internal double TimesFewer(double probability) => Size / At(probability, (_, point) => point.Members).Mean;
}

/// <param name="Errors">Of ensembles of 1, 2, … members, the last of all of them: see <see cref="CurveResult"/>.</param>
/// <param name="Nll">Of all members.</param>
/// <param name="Points">One for each probability that the validation rows can promise.</param>
public sealed record EarlyExitSeed(ulong Seed, IReadOnlyList<double> Errors, double Nll, IReadOnlyList<EarlyExitPoint> Points);

/// <param name="Probability">Of another prediction than that of all members.</param>
/// <param name="Members">That a row asks, on average.</param>
/// <param name="Changed">The share of test rows whose prediction is another one.</param>
/// <param name="Error">The share of test rows that are wrong.</param>
public sealed record EarlyExitPoint(double Probability, double Members, double Changed, double Error, double Nll);
