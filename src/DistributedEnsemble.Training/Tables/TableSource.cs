using System.Text.Json.Nodes;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Training.Tables;

/// <summary>A file with a table: delimited text, packed or not, or Parquet.</summary>
/// <param name="path">
/// Of the file. A relative one is looked for below the current folder, then below the data folder; a full one that is no
/// longer there is looked for in the data folder by its name.
/// </param>
/// <param name="name">The dataset's name, if it is not the file's.</param>
public sealed class TableSource(string path, string? name = null) : IDatasetSource
{
    public static IReadOnlyList<string> Extensions { get; } = [".csv", ".tsv", ".txt", ".data", ".parquet", ".gz"];

    public string Name => name ?? Path.GetFileName(path);

    public string Description => "a table: CSV, TSV (also .gz) or Parquet; `ensemble inspect FILE` shows what it is taken for";

    public JsonObject Defaults => TableDefaults.For(rows: 1000);

    public DatasetLocation Locate(DataFolders folders) => Locate(path, folders);

    /// <summary>The full path of the file.</summary>
    /// <exception cref="DataException">It is not there.</exception>
    public string Find(DataFolders folders) => Find(path, folders);

    /// <inheritdoc cref="Find(DataFolders)"/>
    public static string Find(string path, DataFolders folders)
    {
        var location = Locate(path, folders);
        if (location.Found is null && location.Looked.FirstOrDefault(Directory.Exists) is { } folder)
            throw new DataException($"{folder} is a folder: a table is a single file.");
        return location.Found is { } found ? Path.GetFullPath(found) : throw new DataException(
            $"{path} was not found: looked for {string.Join(" and ", location.Looked)}. If it lies in another folder DIR, make DIR the data folder.");
    }

    /// <summary>All but the target.</summary>
    public int? CountColumns(DataFolders folders, DataSpec data) => TableSurvey.ReadColumns(TableFile.Of(Find(folders), name ?? path), data).Count - 1;

    public Dataset Load(DataFolders folders) => Load(folders, new EnsembleSpec(), null);

    /// <inheritdoc/>
    public Dataset Load(DataFolders folders, EnsembleSpec spec, DataDescription? recorded) => TableLoading.Load(
        TableFile.Of(Find(folders), name ?? path), TestOf(spec.Data, folders), Name, spec, recorded, folders.Large);

    private static TableFile? TestOf(DataSpec options, DataFolders folders) =>
        options.Test is { } test ? TableFile.Of(Find(test, folders), test) : null;

    private static DatasetLocation Locate(string path, DataFolders folders)
    {
        string[] looked = folders.Data is { } data ? [path, Path.Combine(data, Path.IsPathRooted(path) ? Path.GetFileName(path) : path)] : [path];
        return new DatasetLocation(looked.FirstOrDefault(File.Exists), looked);
    }
}
