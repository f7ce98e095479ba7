using System.Text;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Training.Tests.Tables;

/// <summary>Tables written down in tests.</summary>
internal static class TextTables
{
    public static TableFile File(byte[] bytes, string name = "rows.csv") => new(name, () => new MemoryStream(bytes));

    public static TableFile File(string text, string name = "rows.csv") => File(Encoding.UTF8.GetBytes(text), name);

    /// <summary>All rows that do not test train.</summary>
    public static EnsembleSpec Whole(DataSpec? options = null) => new() { Data = (options ?? new DataSpec()) with { ValidationFraction = 0 } };

    public static TableSurvey Survey(string text, DataSpec? options = null) => TableSurvey.Of(File(text), Whole(options), hasTest: false);

    public static Dataset Load(string text, DataSpec? options = null, string? test = null) => TableLoading.Load(
        File(text), test is null ? null : File(test, "test.csv"), "rows.csv", Whole(options), recorded: null);

    /// <summary>A header, and rows that a function of their number writes.</summary>
    public static string Rows(string header, Func<int, string> row, int count = 50) =>
        $"{header}\n{string.Concat(Enumerable.Range(0, count).Select(i => row(i) + "\n"))}";

    public static ColumnEncoder Column(this TableSurvey survey, string name) => survey.Description.Columns.Single(column => column.Name == name);
}
