using System.Security.Cryptography;
using System.Text.Json.Nodes;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training;

/// <summary>
/// Any CSV file of numeric features: the label is the column "label", or else the last one; every fifth row is test;
/// features are standardised by the training rows.
/// </summary>
/// <param name="path">
/// Of the file. A relative one is looked for below the current folder, then below the data folder; a full one that is no
/// longer there is looked for in the data folder by its name.
/// </param>
/// <param name="name">The dataset's name, if it is not the file's.</param>
public sealed class CsvSource(string path, string? name = null) : IDatasetSource
{
    private const int BufferBytes = 1 << 16;

    public string Name => name ?? Path.GetFileName(path);

    public string Description => "a CSV file with a header: numeric features, and the label in the column \"label\" or the last one";

    public JsonObject Defaults => JsonNode.Parse(
        """
        {
          "model": { "kind": "mlp", "hidden": [64] },
          "training": { "epochs": 30, "batchSize": 32, "schedule": { "kind": "cosine", "learningRate": 0.05 } }
        }
        """)!.AsObject();

    public DatasetLocation Locate(DataFolders folders)
    {
        string[] looked = folders.Data is { } data ? [path, Path.Combine(data, Path.IsPathRooted(path) ? Path.GetFileName(path) : path)] : [path];
        return new DatasetLocation(looked.FirstOrDefault(File.Exists), looked);
    }

    /// <summary>The full path of the file.</summary>
    /// <exception cref="DataException">It is not there.</exception>
    public string Find(DataFolders folders)
    {
        var location = Locate(folders);
        return location.Found is { } found ? Path.GetFullPath(found) : throw new DataException(
            $"{path} was not found: looked for {string.Join(" and ", location.Looked)}. If it lies in another folder DIR, add --data DIR.");
    }

    public Dataset Load(DataFolders folders)
    {
        var found = Find(folders);
        try
        {
            using var file = new FileStream(found, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes, FileOptions.SequentialScan);
            return Load(file, name ?? path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{name ?? path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads CSV from a stream, to its end.</summary>
    /// <param name="file">What errors call it.</param>
    /// <exception cref="DataException">The data breaks a rule; the message names line and column.</exception>
    public Dataset Load(Stream stream, string file)
    {
        using var hash = SHA256.Create();
        using var hashed = new CryptoStream(stream, hash, CryptoStreamMode.Read, leaveOpen: true);
        using var table = new CsvTable(hashed, file);
        var rows = CsvRows.Read(table);
        hashed.CopyTo(Stream.Null);
        var preprocessing = Standardisation.Of(rows.Train);
        long[] shape = [rows.Features.Count];
        var train = rows.Train.ToSamples(shape, preprocessing, rows.Order);
        return new Dataset
        {
            Name = Name,
            Sha256 = Convert.ToHexStringLower(hash.Hash!),
            InputShape = shape,
            Columns = rows.Features,
            Task = new Classification(rows.Classes) { Target = rows.LabelColumn },
            Preprocessing = preprocessing,
            Train = train,
            Test = rows.Test.ToSamples(shape, preprocessing, rows.Order),
        };
    }
}
