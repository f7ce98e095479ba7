using System.Numerics.Tensors;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Data;

/// <summary>70,000 pictures of clothes, 28×28 grey pixels (Xiao, Rasul and Vollgraf, 2017).</summary>
public sealed class FashionMnist : IDatasetSource
{
    private const int Side = 28;
    private const int Pixels = Side * Side;
    private const float Brightest = 255;
    private const string TrainImages = "train-images-idx3-ubyte", TrainLabels = "train-labels-idx1-ubyte";
    private const string TestImages = "t10k-images-idx3-ubyte", TestLabels = "t10k-labels-idx1-ubyte";
    private static readonly string[] Files = [TrainImages, TrainLabels, TestImages, TestLabels];

    private static readonly string[] Clothes =
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    public string Name => "fashion-mnist";

    public string Description => "70,000 pictures of clothes, 28×28 pixels (Debian's dataset-fashion-mnist, or IDX files in the data folder)";

    public JsonObject Defaults => JsonNode.Parse(
        """
        {
          "model": { "kind": "mlp", "hidden": [256] },
          "training": { "epochs": 10, "batchSize": 128, "schedule": { "learningRate": 0.1 } }
        }
        """)!.AsObject();

    public DatasetLocation Locate(DataFolders folders)
    {
        string[] looked =
        [
            .. folders.Data is { } data ? [data, Path.Combine(data, Name)] : Array.Empty<string>(),
            Path.Combine(folders.System, Name),
        ];
        return new DatasetLocation(looked.FirstOrDefault(folder => Files.All(file => Find(folder, file) is not null)), looked);
    }

    public Dataset Load(DataFolders folders)
    {
        var location = Locate(folders);
        if (location.Found is not { } folder)
            throw new DataException(
                $"{Name} was not found in {string.Join(" or ", location.Looked)}. Install Debian's package dataset-fashion-mnist, "
                + $"or put the files {string.Join(", ", Files.Select(file => $"{file}.gz"))} into a folder DIR and make DIR the data folder.");

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var train = Read(folder, TrainImages, TrainLabels, hash);
        var test = Read(folder, TestImages, TestLabels, hash);
        long[] shape = [1, Side, Side];
        int[] classes = [.. Enumerable.Range(0, Clothes.Length)];
        var preprocessing = Preprocessing.ScaledBy(Brightest);
        return new Dataset
        {
            Name = Name,
            Sha256 = Convert.ToHexStringLower(hash.GetHashAndReset()),
            InputShape = shape,
            Columns = Dataset.PixelNames(Pixels),
            Task = new Classification(Clothes),
            Preprocessing = preprocessing,
            Train = train.ToSamples(preprocessing, classes),
            Test = test.ToSamples(preprocessing, classes),
        };
    }

    private static SampleRows Read(string folder, string imageFile, string labelFile, IncrementalHash hash)
    {
        string imagePath = Find(folder, imageFile)!, labelPath = Find(folder, labelFile)!;
        var images = IdxReader.Read(imagePath, 3, hash);
        if (images.Shape is not [var count, Side, Side])
            throw new DataException($"{imagePath} holds {string.Join('×', images.Shape)} pixels, not n×{Side}×{Side}.");
        var labels = IdxReader.Read(labelPath, 1, hash);
        if (labels.Shape[0] != count)
            throw new DataException($"{labelPath} holds {labels.Shape[0]} labels for the {count} images of {imageFile}.");

        var rows = new SampleRows(Pixels);
        for (var i = 0; i < count; i++)
        {
            var label = labels.Values[i];
            if (label >= Clothes.Length)
                throw new DataException($"{labelPath} is damaged: label {i} is {label}, and the classes are 0 to {Clothes.Length - 1}.");
            TensorPrimitives.ConvertChecked<byte, float>(images.Values.AsSpan(i * Pixels, Pixels), rows.Add(label));
        }

        return rows;
    }

    private static string? Find(string folder, string file) =>
        new[] { Path.Combine(folder, $"{file}.gz"), Path.Combine(folder, file) }.FirstOrDefault(File.Exists);
}
