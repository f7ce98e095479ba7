using System.Globalization;
using System.Text;

namespace DistributedEnsemble.Benchmarks.Own;

/// <summary>The goals as a page.</summary>
internal static class OwnPage
{
    /// <param name="data">The name of the file that has what was measured.</param>
    /// <param name="command">What printed the page.</param>
    public static string Of(OwnFile file, string data, string command)
    {
        var page = new StringBuilder("# Kernels of our own: goals\n\n");
        page.Append(CultureInfo.InvariantCulture, $"Ratios within a round, median and extremes; what is behind them stands in {data}. A letter names the machine and the commit.\n\n");
        page.Append("| | goal | measured | | |\n|---|--:|--:|---|---|\n");
        var places = new List<string>();
        foreach (var (_, part) in file.Parts)
        {
            if (part.Goals is []) continue;
            var place = $"{part.Origin.Machine.Cpu}, {part.Origin.Machine.InstructionSet}, {part.Origin.Machine.Cores} cores; commit {part.Origin.Commit}, {part.Origin.Date}";
            if (!places.Contains(place)) places.Add(place);
            foreach (var goal in part.Goals) page.Append(CultureInfo.InvariantCulture, $"{Row(goal, part.Rounds)} {Letter(places.IndexOf(place))} |\n");
        }

        page.Append('\n');
        for (var i = 0; i < places.Count; i++) page.Append(CultureInfo.InvariantCulture, $"- {Letter(i)}: {places[i]}\n");
        return page.Append(CultureInfo.InvariantCulture, $"\nPrinted by `{command}`.\n").ToString();
    }

    /// <summary>The command that measures all parts.</summary>
    public static string Command(FileInfo page, FileInfo? output) =>
        $"{Report.Program}own --former FOLDER --page docs/benchmarks/{page.Name}{(output is null ? "" : $" --output docs/benchmarks/{output.Name}")}";

    private static string Row(Goal goal, int rounds)
    {
        var limit = goal switch
        {
            { AtLeast: { } least } => $"≥ {Number(least)}",
            { AtMost: { } most } => $"≤ {Number(most)}",
            _ => "",
        };
        var (median, lowest, highest) = goal.Measured;
        return $"| {goal.Name} | {limit} | {Number(median)} ({Number(lowest)} to {Number(highest)}, {rounds} rounds) | {(goal.IsMet ? "" : "missed")} |";
    }

    private static char Letter(int place) => (char)('a' + place);

    private static string Number(double number) => number.ToString(number >= 100 ? "0" : "0.0##", CultureInfo.InvariantCulture);
}
