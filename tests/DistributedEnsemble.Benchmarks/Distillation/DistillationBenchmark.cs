using DistributedEnsemble.Benchmarks.Tables;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Distillation;

namespace DistributedEnsemble.Benchmarks.Distillation;

/// <summary>
/// What one student keeps of the gain of ten members over one of them, on the test split, for each seed: a run as `ensemble train`
/// trains it by default, and its student as `ensemble distill` does.
/// </summary>
internal static class DistillationBenchmark
{
    private const int Lanes = 2;

    /// <summary>Of images; tables are in a folder.</summary>
    public static readonly IReadOnlyList<(string Name, string Spec)> Images =
    [
        ("fashion-mnist, mlp", """{ "data": { "dataset": "fashion-mnist" }, "model": { "kind": "mlp", "hidden": [256] } }"""),
        ("fashion-mnist, lenet", """{ "data": { "dataset": "fashion-mnist" }, "model": { "kind": "lenet" } }"""),
        ("digits, lenet", """{ "data": { "dataset": "digits" }, "model": { "kind": "lenet" } }"""),
        ("digits, mlp", """{ "data": { "dataset": "digits" }, "model": { "kind": "mlp", "hidden": [64] } }"""),
    ];

    /// <param name="folder">Of tables, and tables.tsv.</param>
    /// <param name="only">Names of data; all without any.</param>
    /// <param name="settings">Of the students, over what `ensemble distill` gives them.</param>
    /// <param name="former">What was measured of some data before: these seeds are not measured again.</param>
    /// <param name="onSeed">Told of what is known of each data when one more of its seeds is measured: the last ones take hours.</param>
    public static async Task RunAsync(
        string folder, int seeds, IReadOnlyCollection<string> only, IReadOnlyList<(string Path, string Value)> settings, ReportOrigin origin,
        Func<string, IReadOnlyList<DistillationSeed>> former, Action<DistillationResult> onSeed)
    {
        var all = Images.Concat(PublicTable.All(folder).Select(table => (table.Name, table.Merge().ToJson())));
        foreach (var (name, spec) in all.Where(data => only.Count == 0 || only.Contains(data.Name)))
        {
            await using var silo = await TemporarySilo.StartAsync(data: null, Lanes);
            List<DistillationSeed> measured = [.. former(name)];
            foreach (var seed in Enumerable.Range(1, seeds).Except(measured.Select(known => known.Seed)).ToArray())
            {
                var document = SpecDocument.Parse(spec).With("seed", $"{seed}");
                var trained = await silo.TrainAsync(document.With("name", $"teacher-{seed}").ToJson());
                var student = StudentSpec.Of(await silo.DescriptionOfAsync(trained), trained.Run, $"student-{seed}", members: 1, settings);
                var (_, report) = await silo.EvaluateAsync(await silo.TrainAsync(student.ToJson()));
                var (first, teacher) = (report.Ensemble.All[0].Name, report.Teacher!);
                measured.Add(new DistillationSeed(
                    seed, teacher.Single.Nll, teacher.Ensemble.Nll, report.Ensemble.Nll, teacher.Single[first], teacher.Ensemble[first], report.Ensemble[first])
                {
                    Validation = report.Validation?.Measures.Nll, Commit = origin.Commit,
                });
                Console.Error.WriteLine($"{name}: {measured[^1]}, kept {measured[^1].Kept:P0}");
                onSeed(DistillationResult.Of(name, [.. measured.OrderBy(known => known.Seed)], origin));
            }
        }
    }
}
