using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Data;

/// <summary>
/// 1,797 handwritten digits of 8×8 pixels from 0 to 16, built in. The test rows come from other writers than most training
/// rows, which makes them harder than a random split.
/// </summary>
/// <remarks>
/// E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998,
/// https://doi.org/10.24432/C50P49, licensed CC BY 4.0.
/// </remarks>
public sealed class Digits : IDatasetSource
{
    private const int Pixels = 64;
    private const int TrainRows = 1437;
    private const float Brightest = 16;

    public string Name => "digits";

    public string Description => "1,797 handwritten digits, 8×8 pixels, built in (UCI, CC BY 4.0)";

    public JsonObject Defaults => JsonNode.Parse(
        """
        {
          "model": { "kind": "lenet" },
          "training": { "epochs": 30, "batchSize": 32, "schedule": { "kind": "cosine", "learningRate": 0.05 } }
        }
        """)!.AsObject();

    public DatasetLocation Locate(DataFolders folders) => DatasetLocation.BuiltIn;

    public Dataset Load(DataFolders folders)
    {
        var text = Unpack();
        SampleRows train = new(Pixels), test = new(Pixels);
        foreach (var line in Encoding.ASCII.GetString(text).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var cells = line.Split(',');
            var row = (train.Count < TrainRows ? train : test).Add(int.Parse(cells[Pixels], CultureInfo.InvariantCulture));
            for (var i = 0; i < Pixels; i++) row[i] = float.Parse(cells[i], CultureInfo.InvariantCulture);
        }

        long[] shape = [1, 8, 8];
        int[] digits = [.. Enumerable.Range(0, 10)];
        var preprocessing = Preprocessing.ScaledBy(Brightest);
        return new Dataset
        {
            Name = Name,
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(text)),
            InputShape = shape,
            Columns = Dataset.PixelNames(Pixels),
            Task = new Classification([.. digits.Select(digit => digit.ToString(CultureInfo.InvariantCulture))]),
            Preprocessing = preprocessing,
            Train = train.ToSamples(preprocessing, digits),
            Test = test.ToSamples(preprocessing, digits),
        };
    }

    private static byte[] Unpack()
    {
        using var packed = typeof(Digits).Assembly.GetManifestResourceStream("digits.csv.gz")!;
        using var unpacked = new GZipStream(packed, CompressionMode.Decompress);
        using var text = new MemoryStream();
        unpacked.CopyTo(text);
        return text.ToArray();
    }
}
