using System.Text.Json.Nodes;
using DistributedEnsemble.Randomness;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests;

/// <summary>A regression: 600 noisy points of a wave over two numbers, in units far from 0 and 1.</summary>
internal sealed class Waves : IDatasetSource
{
    private const int Rows = 600, TrainRows = 480;

    public string Name => "waves";

    public string Description => "noisy points of a wave";

    public JsonObject Defaults => JsonNode.Parse("""{ "model": { "kind": "mlp", "hidden": [16] } }""")!.AsObject();

    public DatasetLocation Locate(DataFolders folders) => DatasetLocation.BuiltIn;

    public Dataset Load(DataFolders folders)
    {
        var random = new RandomSource(3);
        var (x, noise) = (new float[2 * Rows], new float[Rows]);
        random.Uniform(new Draw(Purpose.Initialization, 0, 0, 0), x);
        random.Uniform(new Draw(Purpose.Initialization, 1, 0, 0), noise);
        double[] y = [.. noise.Select((n, row) => 1000 + 50 * Math.Sin(6 * x[2 * row]) + 20 * x[2 * row + 1] + 10 * (n - 0.5))];
        var task = Regression.Of(y.AsSpan(0, TrainRows), "height");
        return new Dataset
        {
            Name = Name,
            Sha256 = new string('a', 64),
            InputShape = [2],
            Columns = ["x", "z"],
            Task = task,
            Preprocessing = Preprocessing.None,
            Train = Samples(..TrainRows),
            Test = Samples(TrainRows..),
        };

        Samples Samples(Range rows) => new(
            NativeVector.Of(x.AsSpan()[(2 * rows.Start.Value)..(2 * rows.End.GetOffset(Rows))]), [.. y[rows].Select(task.Standardise)]);
    }
}
