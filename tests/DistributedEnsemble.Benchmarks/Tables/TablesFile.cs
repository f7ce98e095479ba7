using System.Globalization;
using System.Text;
using System.Text.Json;

namespace DistributedEnsemble.Benchmarks.Tables;

/// <summary>What was measured of the tables in one file: one that is measured again takes the place of what was measured of it before.</summary>
internal sealed class TablesFile
{
    private readonly List<TableResult> _results = [];

    public static TablesFile Read(FileInfo? file)
    {
        var results = new TablesFile();
        if (file is not { Exists: true }) return results;
        using var document = JsonDocument.Parse(File.ReadAllText(file.FullName));
        results._results.AddRange(document.RootElement.GetProperty("results").Deserialize<List<TableResult>>(Report.Json)!);
        return results;
    }

    /// <summary>What is known of a table, each seed with the commit that it was measured at.</summary>
    public IReadOnlyList<TableSeed> Of(string table) => _results.Find(result => result.Name == table) is { } known
        ? [.. known.Seeds.Select(seed => seed with { Commit = seed.Commit ?? known.Origin.Commit })] : [];

    /// <param name="order">All tables, in the order that the file has.</param>
    public void Set(TableResult result, IReadOnlyList<string> order)
    {
        _results.RemoveAll(former => former.Name == result.Name);
        _results.Add(result);
        _results.Sort((one, other) => Place(one).CompareTo(Place(other)));

        int Place(TableResult known) => order.TakeWhile(name => name != known.Name).Count();
    }

    public string ToJson() => JsonSerializer.Serialize(new { Benchmark = "tables", Results = _results }, Report.Json) + "\n";

    /// <summary>docs/benchmarks/tables.md.</summary>
    public string Page()
    {
        var known = _results.Where(result => result.Best is not null).ToArray();
        var far = known.Where(result => result.Lacking > 0).ToArray();
        var most = _results.Max(result => result.Seeds.Count);
        var fewer = _results.Where(result => result.Seeds.Count < most)
            .Select(result => string.Create(CultureInfo.InvariantCulture, $"{result.Name} {result.Seeds.Count}")).ToArray();
        var uncommitted = _results.SelectMany(result => result.Uncommitted.Select(seed => $"{result.Name} seed {seed.Seed}")).ToArray();
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"""
            # Tables

            Public tables as they were downloaded: no flag but the target and the task, everything else by default, two lanes.
            Every fifth row tests. Accuracy of classifications, R² of regressions; scikit-learn 1.2.1 on the same rows: histogram gradient
            boosting, a random forest of 300 trees, and logistic or ridge regression on one-hot columns. Seconds are processor time of a
            training, on both lanes together. How the defaults were chosen: see [tables](../tables.md#defaults). Batch sizes, widths and dropout
            of small tables are from a time when test scores had been seen: what this page says of small tables favours them.

            Ours is the mean over {most} seeds{(fewer.Length == 0 ? "" : $" (fewer, for their time: {string.Join(", ", fewer)})")}, as are the members and the seconds: the seed decides where weights begin, the
            order of the rows, and which of them validate. Spread is the standard deviation of one seed's score; the standard error is that of
            the choice of test rows, by 500 bootstrap draws of them with the first seed. scikit-learn's models were trained once.

            By these means the ensemble is at least as good as boosting on {known.Count(result => result.Ours.Mean >= result.Boosting)} of {known.Length}, and within 0.02 of the best of the three on {known.Length - far.Length}.
            {Missed(far)}{Open(known)}

            | table | task | ours | spread | standard error | mean single member | boosting | forest | linear | seconds |
            |---|---|--:|--:|--:|--:|--:|--:|--:|--:|
            """);
        foreach (var r in _results)
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {r.Name}{(r.Uncommitted.Any() ? " †" : "")} | {r.Task} | {r.Ours.Mean:0.0000} | {Cell(r.Spread)} | {Cell(r.StandardError)} | {r.Seeds.Average(seed => seed.Single):0.0000} | "
                + $"{Cell(r.Boosting)} | {Cell(r.Forest)} | {Cell(r.Linear)} | {r.Seeds.Average(seed => seed.Seconds):0.0} |");
        }

        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"Printed by `dotnet run -c Release --project tests/DistributedEnsemble.Benchmarks -- tables FOLDER --seeds {most} --add --page docs/benchmarks/tables.md --output docs/benchmarks/tables.json`, some tables at a time (`--only`), at {string.Join(", ", _results.SelectMany(result => result.Commits).Distinct())}; tables.json has the commit of each seed.");
        if (uncommitted.Length > 0) text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"† Measured with changes that no commit has (a + behind it): {string.Join(", ", uncommitted)}.");
        return text.ToString();
    }

    private static string Missed(TableResult[] far) => far.Length == 0 ? "" : string.Create(
        CultureInfo.InvariantCulture,
        $"""
        Lacking to that: {string.Join(", ", far.Select(result => string.Create(CultureInfo.InvariantCulture, $"{result.Name} {result.Lacking:0.000}")))}. On {far.Count(result => result.Lacking <= result.StandardError)} of these {far.Length} that is
        less than one standard error: other rows would have made another count.
        """);

    private static string Open(TableResult[] known) => known.Where(result => result.IsOpen).Select(result => result.Name).ToArray() is { Length: > 0 } open
        ? $"\nOther seeds may count otherwise, too, where the 95 % interval over them (Student's t) holds the bound: {string.Join(", ", open)}." : "";

    private static string Cell(double? score) => score is { } number ? number.ToString("0.0000", CultureInfo.InvariantCulture) : "";
}
