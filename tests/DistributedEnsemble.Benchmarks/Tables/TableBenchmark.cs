using DistributedEnsemble.Reports.Experiments;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Benchmarks.Tables;

/// <summary>
/// Public tables as they were downloaded, trained with the defaults and no flag but target and task, beside what scikit-learn
/// reaches on the same split, for each seed.
/// </summary>
internal static class TableBenchmark
{
    private const int Lanes = 2;

    /// <param name="folder">Of tables, and tables.tsv.</param>
    /// <param name="only">Names of tables; all without any.</param>
    /// <param name="former">What was measured of a table before: these seeds are not measured again.</param>
    /// <param name="onSeed">Told of what is known of a table when one more of its seeds is measured: the last ones take minutes.</param>
    public static async Task RunAsync(
        string folder, int seeds, IReadOnlyCollection<string> only, ReportOrigin origin, Func<string, IReadOnlyList<TableSeed>> former, Action<TableResult> onSeed)
    {
        foreach (var table in PublicTable.All(folder).Where(table => only.Count == 0 || only.Contains(table.Name)))
        {
            await using var silo = await TemporarySilo.StartAsync(data: null, Lanes);
            List<TableSeed> measured = [.. former(table.Name)];
            foreach (var seed in Enumerable.Range(1, seeds).Except(measured.Select(known => known.Seed)).ToArray())
            {
                var before = Environment.CpuUsage.TotalTime;
                var trained = await silo.TrainAsync(table.Merge().With("seed", $"{seed}").ToJson());
                var seconds = (Environment.CpuUsage.TotalTime - before).TotalSeconds;
                var (_, report) = await silo.EvaluateAsync(trained);
                measured.Add(new TableSeed(
                    seed, report.Ensemble[table.Measure], report.Single.Mean[table.Measure], report.Ensemble.Nll, Math.Round(seconds, 1))
                {
                    StandardError = seed == 1 ? StandardError(silo, table, trained) : null, Commit = origin.Commit,
                });
                Console.Error.WriteLine($"{table.Name}: {measured[^1]}");
                onSeed(TableResult.Of(table, [.. measured.OrderBy(known => known.Seed)], origin));
            }
        }
    }

    private static double StandardError(TemporarySilo silo, PublicTable table, RunStatus trained)
    {
        using var dataset = table.Load();
        return Math.Round(TestRows.StandardError(silo.FolderOf(trained), trained, dataset, table.Measure), 4);
    }
}
