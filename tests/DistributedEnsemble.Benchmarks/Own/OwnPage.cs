using System.Globalization;
using System.Text;

namespace DistributedEnsemble.Benchmarks.Own;

/// <summary>The goals as a page.</summary>
internal static class OwnPage
{
    public static string Of(OwnResults results)
    {
        var page = new StringBuilder("# Kernels of our own: goals\n\n");
        page.Append(CultureInfo.InvariantCulture, $"Ratios within a round, median and extremes of {results.Rounds} rounds; what is behind them stands in own.json.\n\n");
        page.Append("| | goal | measured | |\n|---|--:|--:|---|\n");
        foreach (var goal in results.Goals)
        {
            var limit = goal.AtLeast is { } least ? $"≥ {Number(least)}" : $"≤ {Number(goal.AtMost!.Value)}";
            var (median, lowest, highest) = goal.Measured;
            page.Append(CultureInfo.InvariantCulture, $"| {goal.Name} | {limit} | {Number(median)} ({Number(lowest)} to {Number(highest)}) | {(goal.IsMet ? "" : "missed")} |\n");
        }

        return page.Append("\nPrinted by `dotnet run -c Release --project tests/DistributedEnsemble.Benchmarks -- own --former FOLDER --page docs/benchmarks/own.md`.\n").ToString();
    }

    private static string Number(double number) => number.ToString(number >= 100 ? "0" : "0.0##", CultureInfo.InvariantCulture);
}
