using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using DistributedEnsemble.Randomness;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Tasks;

/// <summary>Three numbers and a curved function of them; one target in twenty is wild. It is drawn by the library's own randomness, the same on every machine.</summary>
internal sealed class Waves : IDatasetSource
{
    private const int Width = 3;

    public string Name => "waves";

    public string Description => "1,250 rows of three numbers, synthetic";

    public JsonObject Defaults => JsonNode.Parse("""{ "model": { "hidden": [32, 32] }, "training": { "epochs": 30, "batchSize": 32, "schedule": { "learningRate": 0.01 } } }""")!.AsObject();

    public DatasetLocation Locate(DataFolders folders) => DatasetLocation.BuiltIn;

    public Dataset Load(DataFolders folders)
    {
        var ((train, targets), (test, testTargets)) = (Rows(1000, 0), Rows(250, 1));
        var known = Regression.Of(targets);
        var task = new Laplace(known.Mean, known.Deviation, known.Minimum, known.Maximum) { Target = "height" };
        return new Dataset
        {
            Name = Name,
            Sha256 = Convert.ToHexStringLower(SHA256.HashData([.. MemoryMarshal.AsBytes(train.Span), .. MemoryMarshal.AsBytes(targets.AsSpan())])),
            InputShape = [Width],
            Columns = ["a", "b", "c"],
            Task = task,
            Preprocessing = Preprocessing.None,
            Train = new Samples(train, [.. targets.Select(task.Standardise)]),
            Test = new Samples(test, [.. testTargets.Select(task.Standardise)]),
        };
    }

    private static (NativeVector Inputs, double[] Targets) Rows(int count, uint part)
    {
        var random = new RandomSource(7);
        var (inputs, noise) = (new NativeVector(count * Width), new float[count]);
        random.Uniform(new Draw(Purpose.DataSplit, 0, part, 0), inputs.Span);
        random.Uniform(new Draw(Purpose.DataSplit, 0, part, 1), noise);
        var targets = new double[count];
        for (var row = 0; row < count; row++)
        {
            var x = inputs.Slice(row * Width, Width);
            var height = 4 * (double)x[0] * (1 - x[0]) + (double)x[1] * x[2];
            targets[row] = height + (noise[row] < 0.05 ? 200 * (noise[row] - 0.025) : 0.1 * (noise[row] - 0.5));
        }

        return (inputs, targets);
    }
}
