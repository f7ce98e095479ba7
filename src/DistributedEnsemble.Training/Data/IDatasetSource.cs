using System.Text.Json.Nodes;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Training.Data;

/// <summary>Something that a run can be trained on.</summary>
public interface IDatasetSource
{
    string Name { get; }

    /// <summary>One line for people.</summary>
    string Description { get; }

    /// <summary>What a spec says for this data unless its author says otherwise: a fragment of a spec, new at each call.</summary>
    JsonObject Defaults { get; }

    DatasetLocation Locate(DataFolders folders);

    /// <summary>The full path of the file or folder that is the data; null of a dataset that is known by its name.</summary>
    /// <exception cref="DataException">It is not there.</exception>
    string? Find(DataFolders folders) => null;

    /// <summary>How many columns the data will have, by its beginning alone; null if only loading tells.</summary>
    /// <exception cref="DataException">The data is missing, or its beginning damaged.</exception>
    int? CountColumns(DataFolders folders, DataSpec data) => null;

    /// <exception cref="DataException">The data is missing or damaged.</exception>
    Dataset Load(DataFolders folders);

    /// <summary>Loads the data as a spec wants it, with encoders that are fitted on the rows that train by its seed and its validation split.</summary>
    /// <param name="recorded">How a run that was started before knows the data; null of a new one.</param>
    /// <exception cref="DataException">The data is missing or damaged, or not such that the spec could be followed.</exception>
    Dataset Load(DataFolders folders, EnsembleSpec spec, DataDescription? recorded)
    {
        var data = spec.Data;
        var given = data.Target is not null ? "data.target" : data.Task is not null ? "data.task" : data.Ignore is not null ? "data.ignore"
            : data.Categorical is not null ? "data.categorical" : data.Header is not null ? "data.header" : data.Test is not null ? "data.test"
            : data.ImageSize is not null ? "data.imageSize" : null;
        return given is null ? Load(folders) : throw new DataException($"{given} is for the files of tables and pictures, and {Name} is neither: leave it out.");
    }
}

/// <summary>Where data is looked for.</summary>
/// <param name="Data">The folder that the user named (--data), if any.</param>
public sealed record DataFolders(string? Data = null)
{
    /// <summary>Where the system's packages put datasets.</summary>
    public string System { get; init; } = "/usr/share/datasets";

    /// <summary>Where the inputs of large tables lie; null keeps all in memory.</summary>
    internal InputFolder? Large { get; init; }
}

/// <summary>Whether data is there.</summary>
/// <param name="Found">The file or folder, or "built in"; null if it is missing.</param>
/// <param name="Looked">Every place looked at, in order.</param>
public sealed record DatasetLocation(string? Found, IReadOnlyList<string> Looked)
{
    public static DatasetLocation BuiltIn { get; } = new("built in", ["built in"]);
}
