using System.Globalization;
using System.Text.Json.Nodes;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Benchmarks.Tables;

/// <summary>
/// A line of tables.tsv: name, source, header, target (a column's number where there is no header), task, columns to leave out, rows,
/// columns, and what scikit-learn reaches: score and loss of boosting, forest and linear.
/// </summary>
internal sealed record PublicTable(string Folder, string[] Cells)
{
    public string Name => Cells[0];
    public string Task => Cells[4];
    public double? Boosting => Score(8);
    public double? Forest => Score(10);
    public double? Linear => Score(12);

    /// <summary>What its task is measured by.</summary>
    public string Measure => Task == "classification" ? "accuracy" : "r2";

    public static IEnumerable<PublicTable> All(string folder) =>
        File.ReadLines(Path.Combine(folder, "tables.tsv")).Skip(1).Select(line => new PublicTable(folder, line.Split('\t')));

    /// <summary>A spec with its file, target and task.</summary>
    /// <param name="spec">What else it says.</param>
    public SpecDocument Merge(string spec = "{}")
    {
        var json = JsonNode.Parse(spec)!.AsObject();
        if (json["data"] is not JsonObject data) json["data"] = data = [];
        data["dataset"] = Path.GetFullPath(Path.Combine(Folder, $"{Name}.csv"));
        data["target"] = Cells[2] == "yes" ? Cells[3].Trim() : $"column{Cells[3]}";
        data["task"] = Task;
        if (Cells[5].Length > 0) data["ignore"] = new JsonArray([.. Cells[5].Split(',').Select(name => (JsonNode)name)]);
        return SpecDocument.Parse(json.ToJsonString());
    }

    public Dataset Load()
    {
        var spec = Merge().Resolve();
        return new TableSource(spec.Data.Dataset).Load(new DataFolders(), spec, null);
    }

    private double? Score(int column) =>
        double.TryParse(Cells[column], NumberStyles.Float, CultureInfo.InvariantCulture, out var score) && double.IsFinite(score) ? score : null;
}
