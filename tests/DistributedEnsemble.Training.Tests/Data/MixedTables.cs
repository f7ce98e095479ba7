using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Training.Tests;

/// <summary>
/// A table of 90 rows with a column of each kind: a date and time, numbers with and without missing cells, a category that is
/// an input for each level, missing ones among them, and one whose levels the network puts vectors in the place of.
/// </summary>
/// <param name="name">Of the dataset.</param>
/// <param name="edit">Makes another table of the lines, the first of which names the columns.</param>
/// <param name="available">Bytes of memory; null asks the system.</param>
internal sealed class MixedTables(string name = "mixed", Action<string[]>? edit = null, long? available = null) : IDatasetSource
{
    public const int Rows = 90;

    public string Name => name;

    public string Description => "a column of each kind";

    public JsonObject Defaults => TableDefaults.For(Rows);

    public static bool IsTest(int row) => row % 5 == 4;

    public DatasetLocation Locate(DataFolders folders) => DatasetLocation.BuiltIn;

    public Dataset Load(DataFolders folders) => Load(folders, new EnsembleSpec(), null);

    public Dataset Load(DataFolders folders, EnsembleSpec spec, DataDescription? recorded)
    {
        string[] lines = ["when,size,weight,shape,zip,price,label", .. Enumerable.Range(0, Rows).Select(Line)];
        edit?.Invoke(lines);
        var bytes = Encoding.UTF8.GetBytes(string.Join('\n', lines));
        return TableLoading.Load(new TableFile(name, () => new MemoryStream(bytes)), null, name, spec, recorded, folders.Large, available);
    }

    private static string Line(int row)
    {
        var (size, shape, zip) = (row * 37 % 53 / 4.0, row * 7 % 4, row * 11 % 24);
        var when = new DateTime(2024, 1, 1, 5, 0, 0).AddHours(row * 61 % 97 * 31);
        return string.Create(CultureInfo.InvariantCulture,
            $"{when:yyyy-MM-dd HH:mm},{(row % 11 == 3 ? "" : size)},{row * 29 % 41},{(shape == 3 ? "NA" : $"shape {shape}")},z{zip},{size + (2 * shape) + (zip % 5) + (when.Month / 2.0) + 0.25},{(size + zip > 15 ? "yes" : "no")}");
    }
}
