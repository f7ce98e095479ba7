using System.Diagnostics.CodeAnalysis;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Images;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Training.Data;

/// <summary>The datasets that a name can mean: the built-in ones, and those that the host adds.</summary>
public sealed class DatasetRegistry
{
    private readonly SortedDictionary<string, IDatasetSource> _sources = new(StringComparer.Ordinal);

    /// <exception cref="ArgumentException">Two sources have the same name.</exception>
    public DatasetRegistry(params IEnumerable<IDatasetSource> added)
    {
        foreach (var source in (IEnumerable<IDatasetSource>)[new Digits(), new FashionMnist(), new TwoMoons(), .. added])
        {
            if (!_sources.TryAdd(source.Name, source))
                throw new ArgumentException($"Two datasets are named \"{source.Name}\".", nameof(added));
        }
    }

    /// <exception cref="ArgumentException">The name is taken.</exception>
    public void Add(IDatasetSource source)
    {
        if (!_sources.TryAdd(source.Name, source))
            throw new ArgumentException($"There is a dataset \"{source.Name}\" already: known are {string.Join(", ", _sources.Keys)}. Choose another name.", nameof(source));
    }

    /// <summary>All registered datasets, by name.</summary>
    public IEnumerable<IDatasetSource> Sources => _sources.Values;

    /// <summary>A registered dataset only. What a client sends goes here: it must not name a file of this machine.</summary>
    public bool TryFind(string name, [NotNullWhen(true)] out IDatasetSource? source) => _sources.TryGetValue(name, out source);

    /// <summary>A registered dataset, a folder of images, or a table's file for a name that ends as one's does or is a path.</summary>
    /// <exception cref="DataException">The name is unknown.</exception>
    public IDatasetSource Resolve(string name)
    {
        if (TryFind(name, out var source)) return source;
        if (Directory.Exists(name)) return new ImageFolderSource(name);
        if (IsPath(name)) return new TableSource(name);
        throw new DataException(
            $"There is no dataset {OneLine.Quoted(name)}. {(Nearest.Like(name, _sources.Keys) is { } meant ? $"Did you mean \"{meant}\"? " : "")}"
            + $"Known are {string.Join(", ", _sources.Keys)}, the path of any table (x.csv), and a folder of images.");
    }

    /// <summary>Whether a name that is not registered means a file.</summary>
    public static bool IsPath(string name) =>
        TableSource.Extensions.Any(extension => name.EndsWith(extension, StringComparison.OrdinalIgnoreCase)) || name.Contains('/') || name.Contains(Path.DirectorySeparatorChar);
}
