using System.Globalization;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Benchmarks.Tables;

/// <summary>
/// Ten mlps of two layers, those of the table's defaults if it has two, one tabm and five tabms, with and without vectors of numbers, all else at
/// the table's defaults, measured as defaults are: on training rows alone. One tabm is the mean of the five, each alone, in a fifth
/// of their time.
/// </summary>
internal static class MembersBenchmark
{
    private const int Submodels = 16;

    public static IReadOnlyList<MembersResult> Run(string folder, IReadOnlyCollection<string> only, int folds)
    {
        var benchmark = new DefaultsBenchmark(folder, only, folds, members: 0);
        var results = new List<MembersResult>();
        foreach (var (table, each) in benchmark.Run(Trained))
        {
            results.Add(new MembersResult(table.Name, table.Task, each[0].Rows,
            [
                Whole("ten mlps", each[0]), Whole("ten mlps, vectors", each[1]), Single("one tabm", each[2]), Single("one tabm, vectors", each[3]),
                Whole("five tabms", each[2]), Whole("five tabms, vectors", each[3]),
            ]));
            Console.Error.WriteLine($"{table.Name}: {string.Join(", ", results[^1].Kinds)}");
        }

        return results;

        static string[] Trained(Dataset data)
        {
            // A model of the author's own is that of all members, and one of another kind than the table's has its kind's layers.
            var hidden = data.Defaults!["model"]!["hidden"]!.AsArray();
            var (mlp, tabm) = ($"\"mlp\", \"hidden\": {(hidden.Count == 1 ? "[256, 256]" : hidden.ToJsonString())}", $"\"tabm\", \"submodels\": {Submodels}");
            return [Spec(10, mlp, "null"), Spec(10, mlp, "\"piecewise-linear\""), Spec(5, tabm, "null"), Spec(5, tabm, "\"piecewise-linear\"")];
        }

        static MembersScore Whole(string name, DefaultsResult result) => new(name, result.Score, result.Seconds);
        static MembersScore Single(string name, DefaultsResult result) => new(name, result.Single, result.Seconds / result.Members);
    }

    /// <summary>What a file has of tables that are not measured now, in the order of the tables.</summary>
    public static IReadOnlyList<MembersResult> With(this IReadOnlyList<MembersResult> results, FileInfo file, string folder)
    {
        var former = JsonDocument.Parse(File.ReadAllText(file.FullName)).RootElement.GetProperty("result").Deserialize<MembersResult[]>(Report.Json)!;
        return [.. PublicTable.All(folder).SelectMany(table => results.Concat(former).Where(result => result.Table == table.Name).Take(1))];
    }

    /// <summary>docs/benchmarks/members.md.</summary>
    /// <param name="left">Names of tables that were not measured.</param>
    public static string Page(IReadOnlyList<MembersResult> results, int folds, IReadOnlyCollection<string> left)
    {
        var names = results[0].Kinds.Select(kind => kind.Name).ToArray();
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"""
            # Members and submodels

            Ten mlps, one tabm and five tabms, without and with vectors of numbers (`model.numericEmbedding: piecewise-linear`); all else is what
            the table's defaults say. Accuracy of classifications, R² of regressions, and in brackets the seconds of processor time that
            training took, on one thread. The test rows of each table were put away: {(folds == 1 ? "every fifth of the others measured" : $"{folds} fifths of the others measured in turn")}.
            A tabm has {Submodels} submodels of two layers of 256 units. One tabm is the mean of the five, each alone, in a fifth of their time.{(left.Count == 0 ? "" : $"\nNot measured, for their time: {string.Join(", ", left)}.")}

            | table | rows | {string.Join(" | ", names)} |
            |---|--:|{string.Concat(names.Select(_ => "--:|"))}
            """);
        foreach (var result in results)
            text.AppendLine(CultureInfo.InvariantCulture, $"| {result.Table} | {result.Rows:N0} | {string.Join(" | ", result.Kinds.Select(Cell))} |");
        text.AppendLine(CultureInfo.InvariantCulture, $"| mean | | {Over((kind, _) => kind.Score, "0.0000")} |");
        text.AppendLine(CultureInfo.InvariantCulture, $"| mean rank | | {Over((kind, all) => Rank(kind, all), "0.00")} |");
        text.AppendLine(CultureInfo.InvariantCulture, $"| seconds, all | | {string.Join(" | ", names.Select((_, i) => results.Sum(result => result.Kinds[i].Seconds).ToString("0", CultureInfo.InvariantCulture)))} |");
        text.AppendLine();
        text.AppendLine("Printed by `dotnet run -c Release --project tests/DistributedEnsemble.Benchmarks -- members FOLDER --page docs/benchmarks/members.md`.");
        return text.ToString();

        string Over(Func<MembersScore, IReadOnlyList<MembersScore>, double> measure, string format) => string.Join(" | ", names.Select(
            (_, i) => results.Average(result => measure(result.Kinds[i], result.Kinds)).ToString(format, CultureInfo.InvariantCulture)));
    }

    /// <summary>1 is the best; equals share the mean of their places.</summary>
    private static double Rank(MembersScore kind, IReadOnlyList<MembersScore> all) =>
        1 + all.Count(other => other.Score > kind.Score) + 0.5 * all.Count(other => other != kind && other.Score == kind.Score);

    private static string Cell(MembersScore kind) => string.Create(CultureInfo.InvariantCulture, $"{kind.Score:0.0000} ({kind.Seconds:0.0})");

    /// <param name="kind">In JSON, with what else the model says.</param>
    private static string Spec(int members, string kind, string embedding) => $$"""
        { "members": {{members}}, "model": { "kind": {{kind}}, "numericEmbedding": {{embedding}} } }
        """;
}

/// <param name="Rows">That train and measure.</param>
internal sealed record MembersResult(string Table, string Task, long Rows, IReadOnlyList<MembersScore> Kinds);

/// <param name="Seconds">Of processor time.</param>
internal sealed record MembersScore(string Name, double Score, double Seconds);
