using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Images;

/// <summary>
/// A folder of PNG and JPEG images with a subfolder for each class. Every fifth image of all, in the order of their names, tests;
/// with the subfolders train and test these say which do.
/// </summary>
/// <param name="path">Of the folder; looked for below the current folder, then below the data folder.</param>
/// <remarks>Its sha256 is over the names and bytes of all images, in the order of their names.</remarks>
public sealed class ImageFolderSource(string path) : IDatasetSource
{
    private const int SplitPeriod = 5, TestPlace = 4, LargestByDefault = 64, LeastImages = 20;
    private const string TrainFolder = "train", TestFolder = "test";
    private static readonly string[] s_extensions = [".png", ".jpg", ".jpeg"];

    public string Name => Path.GetFileName(Path.TrimEndingDirectorySeparator(path));

    public string Description => "a folder of images (PNG, JPEG) with a subfolder for each class";

    public JsonObject Defaults => JsonNode.Parse(
        """
        {
          "model": { "kind": "lenet" },
          "training": { "epochs": 30, "batchSize": 32, "schedule": { "kind": "cosine", "learningRate": 0.05 } }
        }
        """)!.AsObject();

    public DatasetLocation Locate(DataFolders folders)
    {
        string[] looked = folders.Data is { } data && !Path.IsPathRooted(path) ? [path, Path.Combine(data, path)] : [path];
        return new DatasetLocation(looked.FirstOrDefault(Directory.Exists), looked);
    }

    /// <summary>The full path of the folder.</summary>
    /// <exception cref="DataException">It is not there.</exception>
    public string Find(DataFolders folders) => Locate(folders) is { Found: { } found } ? Path.GetFullPath(found) : throw new DataException($"The folder {path} was not found.");

    /// <summary>Whether a file's name ends as an image's, and neither it nor a folder below <paramref name="root"/> is hidden.</summary>
    internal static bool IsImage(string root, string path) => IsImage(path) && !Path.GetRelativePath(root, path).Split(Path.DirectorySeparatorChar).Any(IsHidden);

    /// <summary>Whether a file's name ends as an image's.</summary>
    internal static bool IsImage(string path) => s_extensions.Contains(Path.GetExtension(path).ToLowerInvariant());

    /// <summary>Other programs keep their own things so: checkpoints of notebooks, thumbnails, what an archive adds to each file.</summary>
    private static bool IsHidden(string name) => name.StartsWith('.');

    public Dataset Load(DataFolders folders) => Load(folders, new EnsembleSpec(), null);

    /// <inheritdoc/>
    public Dataset Load(DataFolders folders, EnsembleSpec spec, DataDescription? recorded)
    {
        var data = spec.Data;
        if (data is not { Target: null, Ignore: null, Categorical: null, Header: null, Test: null } || data.Task is TaskKind.Regression)
            throw new DataException($"{path} is a folder of images: data.target, data.task, data.ignore, data.categorical, data.header and data.test are for tables.");
        var root = Find(folders);
        var files = Files(root, takesHidden: false);
        // Once hidden ones were taken, and a run that was trained on them finds them again.
        if (recorded is not null && Files(root, takesHidden: true) is var all && all.Count > files.Count && Sha256(root, all) == recorded.Sha256) files = all;
        var classes = files.Select(file => file.Class).Distinct().Order(StringComparer.Ordinal).ToArray();
        if (files.Count == 0) throw new DataException($"{path} has no image: it takes a subfolder for each class, with PNG or JPEG files.");
        if (classes.Length == 1) throw new DataException($"{path} has images of one class, {OneLine.Quoted(classes[0])}: there must be a subfolder for each of two classes at least.");
        var size = data.ImageSize ?? CommonestSize(root, files);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (decoded, damaged) = (new List<(ImageFile File, byte[] Pixels)>(), new List<string>());
        foreach (var file in files)
        {
            var bytes = File.ReadAllBytes(Path.Combine(root, file.Name));
            Append(hash, file, bytes);
            if (Picture.Decode(bytes) is { } picture) decoded.Add((file, picture.Resized(size)));
            else damaged.Add(file.Name);
        }

        if (decoded.Count < LeastImages) throw new DataException($"{path} has {decoded.Count} {Plural.Of(decoded.Count, "image")} that can be read: at least {LeastImages} are needed.");
        var channels = decoded.All(image => Picture.IsGrey(image.Pixels)) ? 1 : Picture.Channels;
        long[] shape = [channels, size, size];
        SampleRows train = new(channels * size * size), test = new(channels * size * size);
        foreach (var (place, (file, pixels)) in decoded.Index())
            Picture.CopyPlanes(pixels, channels, (file.Tests ?? place % SplitPeriod == TestPlace ? test : train).Add(Array.IndexOf(classes, file.Class)));
        if (Enumerable.Range(0, classes.Length).FirstOrDefault(label => !train.Labels.Contains(label), -1) is >= 0 and var untrained)
            throw new DataException($"{path}: no image of the class {OneLine.Quoted(classes[untrained])} trains. Bring more of them.");
        var preprocessing = Preprocessing.ScaledBy(255);
        int[] order = [.. Enumerable.Range(0, classes.Length)];
        return new Dataset
        {
            Name = Name,
            Sha256 = Convert.ToHexStringLower(hash.GetHashAndReset()),
            InputShape = shape,
            Columns = Dataset.PixelNames(channels * size * size),
            Task = new Classification(classes),
            Preprocessing = preprocessing,
            Images = new ImageDescription(size, channels, damaged.Count, [.. damaged.Take(ImageDescription.MostNamed)]),
            Train = train.ToSamples(preprocessing, order),
            Test = test.ToSamples(preprocessing, order),
        };
    }

    private static string Sha256(string root, List<ImageFile> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in files) Append(hash, file, File.ReadAllBytes(Path.Combine(root, file.Name)));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, ImageFile file, byte[] bytes)
    {
        hash.AppendData(Encoding.UTF8.GetBytes($"{file.Name}\n{bytes.Length}\n"));
        hash.AppendData(bytes);
    }

    /// <summary>In the order of their names, the same everywhere.</summary>
    private static List<ImageFile> Files(string root, bool takesHidden)
    {
        var split = Directory.Exists(Path.Combine(root, TrainFolder)) && Directory.Exists(Path.Combine(root, TestFolder));
        List<ImageFile> files = split
            ? [.. Files(root, takesHidden, TrainFolder, false), .. Files(root, takesHidden, TestFolder, true)]
            : [.. Files(root, takesHidden, "", null)];
        files.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return files;
    }

    private static IEnumerable<ImageFile> Files(string root, bool takesHidden, string below, bool? tests) =>
        from folder in Directory.EnumerateDirectories(Path.Combine(root, below))
        from file in Directory.EnumerateFiles(folder)
        where takesHidden ? IsImage(file) : IsImage(root, file)
        let label = Path.GetFileName(folder)
        select new ImageFile(string.Join('/', new[] { below, label, Path.GetFileName(file) }.Where(part => part.Length > 0)), label, tests);

    private static int CommonestSize(string root, List<ImageFile> files)
    {
        var sides = files.Select(file => Picture.LongestSide(Path.Combine(root, file.Name))).Where(side => side > 0).ToArray();
        if (sides.Length == 0) return LargestByDefault;
        return Math.Min(LargestByDefault, sides.GroupBy(side => side).OrderByDescending(group => group.Count()).ThenBy(group => group.Key).First().Key);
    }

    /// <param name="Name">Below the folder, with / everywhere.</param>
    /// <param name="Tests">Null lets its place decide.</param>
    private sealed record ImageFile(string Name, string Class, bool? Tests);
}

/// <summary>How a folder of images became inputs.</summary>
/// <param name="Size">Pixels on a side.</param>
/// <param name="Channels">1 of grey images, 3 of colour.</param>
/// <param name="Damaged">How many files could not be read.</param>
/// <param name="DamagedFiles">The first of them.</param>
public sealed record ImageDescription(int Size, int Channels, int Damaged, IReadOnlyList<string> DamagedFiles)
{
    public const int MostNamed = 20;

    /// <summary>The files that could not be read, in a sentence; none if there were none.</summary>
    /// <param name="files">The first of them.</param>
    public static IEnumerable<string> NotesOf(int damaged, IReadOnlyCollection<string> files) => damaged == 0 ? [] :
    [
        $"{damaged:N0} {(damaged == 1 ? "file is no image that can be read and is" : "files are no images that can be read and are")} left out: "
        + $"{string.Join(", ", files.Take(MostNamed))}{(damaged > Math.Min(files.Count, MostNamed) ? ", …" : "")}.",
    ];
}
