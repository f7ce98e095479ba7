using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Training.Images;

/// <summary>
/// An image, or all images of a folder and what lies below it in the order of their names, to be predicted by a run that was
/// trained on images: made as large and as colourful as those were. The output names each one's file.
/// </summary>
internal sealed class PredictedImages : IRowBatches
{
    private readonly string _root;
    private readonly string[] _names;
    private readonly ImageDescription _images;
    private readonly List<string> _damaged = [];

    private PredictedImages(string root, string[] names, ImageDescription images) => (_root, _names, _images) = (root, names, images);

    public IReadOnlyList<string> PassedColumns { get; } = ["file"];

    public IEnumerable<string> Notes => ImageDescription.NotesOf(_damaged.Count, _damaged);

    /// <summary>Whether a path means images, not a table.</summary>
    public static bool IsMeantBy(string path) => Directory.Exists(path) || ImageFolderSource.IsImage(path);

    /// <param name="path">Of a folder or a file.</param>
    /// <exception cref="DataException">The run was not trained on images, or there is none.</exception>
    public static PredictedImages Open(string path, DataDescription data)
    {
        if (data.Images is not { } images)
            throw new DataException($"{path}: this run was not trained on a folder of images, and predicts rows. Give a table with its columns.");
        var names = Directory.Exists(path)
            ? Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(file => ImageFolderSource.IsImage(path, file))
                .Select(file => Path.GetRelativePath(path, file).Replace(Path.DirectorySeparatorChar, '/')).Order(StringComparer.Ordinal).ToArray()
            : [Path.GetFileName(path)];
        return names.Length > 0
            ? new PredictedImages(Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!, names, images)
            : throw new DataException($"{path} has no image: it takes a folder with PNG or JPEG files.");
    }

    public IEnumerable<TableBatch> Batches()
    {
        var width = _images.Channels * _images.Size * _images.Size;
        TableBatch? batch = null;
        foreach (var name in _names)
        {
            if (Picture.Decode(File.ReadAllBytes(Path.Combine(_root, name))) is not { } picture)
            {
                _damaged.Add(name);
                continue;
            }

            batch ??= new TableBatch(width);
            Picture.CopyPlanes(picture.Resized(_images.Size), _images.Channels, batch.Add());
            batch.Passed.Add([name]);
            if (batch.Rows < BatchedPrediction.BatchSize) continue;
            yield return batch;
            batch = null;
        }

        if (_damaged.Count == _names.Length) throw new DataException(_names.Length == 1
            ? $"{Path.Combine(_root, _names[0])} is no image that can be read: it takes PNG or JPEG."
            : $"{_root} has {_names.Length:N0} files, none of which is an image that can be read: it takes PNG or JPEG.");
        if (batch is not null) yield return batch;
    }

    public void Dispose()
    {
    }
}
