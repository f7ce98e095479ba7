using System.Globalization;
using System.Text;

namespace DistributedEnsemble.Benchmarks.Tables;

/// <summary>
/// Public tables as they were downloaded, trained with the defaults and no flag but target and task, beside what scikit-learn
/// reaches on the same split. The folder holds the tables and tables.tsv: name, source, header, target (a column's number where
/// there is no header), task, columns to leave out, rows, columns, and the scores of boosting, forest and linear.
/// </summary>
internal static class TableBenchmark
{
    private const int Lanes = 2;

    public static async Task<IReadOnlyList<TableResult>> RunAsync(string folder, IReadOnlyCollection<string> only)
    {
        await using var silo = await TemporarySilo.StartAsync(data: null, Lanes);
        var results = new List<TableResult>();
        foreach (var table in PublicTable.All(folder).Where(table => only.Count == 0 || only.Contains(table.Name)))
        {
            var before = Environment.CpuUsage.TotalTime;
            var trained = await silo.TrainAsync(table.Merge().ToJson());
            var seconds = (Environment.CpuUsage.TotalTime - before).TotalSeconds;
            var (_, report) = await silo.EvaluateAsync(trained);
            using var dataset = table.Load();
            var error = TestRows.StandardError(silo.FolderOf(trained), trained, dataset, table.Measure);
            var result = new TableResult(
                table.Name, table.Task, report.Ensemble[table.Measure], Math.Round(error, 4), report.Single.Mean[table.Measure], report.Ensemble.Nll,
                table.Boosting, table.Forest, table.Linear, Math.Round(seconds, 1));
            results.Add(result);
            Console.Error.WriteLine(result);
        }

        return results;
    }

    /// <summary>docs/benchmarks/tables.md.</summary>
    public static string Page(IReadOnlyList<TableResult> results)
    {
        var text = new StringBuilder();
        var known = results.Where(result => result.Boosting is not null).ToArray();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"""
            # Tables

            Public tables as they were downloaded: no flag but the target and the task, everything else by default, two lanes.
            Every fifth row tests. Accuracy of classifications, R² of regressions; scikit-learn 1.2.1 on the same rows: histogram gradient
            boosting, a random forest of 300 trees, and logistic or ridge regression on one-hot columns. Seconds are processor time of the
            training, on both lanes together. How the defaults were chosen: see [tables](../tables.md#defaults). Batch sizes, widths and dropout
            of small tables are from a time when test scores had been seen: what this page says of small tables favours them.

            The ensemble is at least as good as boosting on {known.Count(result => result.Ours >= result.Boosting)} of {known.Length}, and within
            0.02 of the best of the three on {known.Count(IsNear)}. Where it is not, the shortfall beyond 0.02 is smaller than one standard error of
            our score on {known.Count(result => !IsNear(result) && result.Best - 0.02 - result.Ours <= result.StandardError)} of {known.Count(result => !IsNear(result))}: other rows would have made another count. The standard error
            is that of the choice of test rows, by 500 bootstrap draws of them.

            | table | task | ours | standard error | mean single member | boosting | forest | linear | seconds |
            |---|---|---|---|---|---|---|---|---|
            """);
        foreach (var r in results)
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {r.Name} | {r.Task} | {r.Ours:0.0000} | {r.StandardError:0.0000} | {r.Single:0.0000} | {Cell(r.Boosting)} | {Cell(r.Forest)} | {Cell(r.Linear)} | {r.Seconds:0.0} |");
        }

        text.AppendLine();
        text.AppendLine("Printed by `dotnet run -c Release --project tests/DistributedEnsemble.Benchmarks -- tables FOLDER --page docs/benchmarks/tables.md`.");
        return text.ToString();
    }

    private static bool IsNear(TableResult result) => result.Ours >= result.Best - 0.02;

    private static string Cell(double? score) => score is { } number ? number.ToString("0.0000", CultureInfo.InvariantCulture) : "";
}

/// <param name="Ours">The ensemble's accuracy or R².</param>
/// <param name="StandardError">Of it, over the choice of test rows.</param>
/// <param name="Single">The mean of its members'.</param>
internal sealed record TableResult(
    string Name, string Task, double Ours, double StandardError, double Single, double Nll, double? Boosting, double? Forest, double? Linear, double Seconds)
{
    public double? Best => new[] { Boosting, Forest, Linear }.Max();
}
