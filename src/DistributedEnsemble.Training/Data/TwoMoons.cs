using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Data;

/// <summary>
/// Two interleaved half circles with noise: two features that can be drawn. Made of additions, multiplications and integer
/// arithmetic alone, because sines and logarithms differ from one C library to the next and the data must not.
/// </summary>
/// <remarks>Its sha256 is over the rows in order: both features as little-endian float32, then the class as a byte.</remarks>
public sealed class TwoMoons : IDatasetSource
{
    private const int Rows = 2000;
    private const double Noise = 0.2;
    private const ulong Seed = 20_240_607;

    /// <summary>Of the angle between two neighbours of one moon, π/999.</summary>
    private const double Cosine = 0.9999950553174459, Sine = 0.00314473220773636;

    public string Name => "two-moons";

    public string Description => "2,000 points on two interleaved half circles, synthetic";

    public JsonObject Defaults => JsonNode.Parse(
        """
        {
          "model": { "kind": "mlp", "hidden": [32, 32] },
          "training": { "epochs": 30, "batchSize": 32, "schedule": { "kind": "cosine", "learningRate": 0.1 } }
        }
        """)!.AsObject();

    public DatasetLocation Locate(DataFolders folders) => DatasetLocation.BuiltIn;

    public Dataset Load(DataFolders folders)
    {
        SampleRows train = new(2), test = new(2);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var random = new SplitMix64(Seed);
        double x = 1, y = 0;
        for (var i = 0; i < Rows; i++)
        {
            var moon = i % 2;
            var row = (i % 5 == 4 ? test : train).Add(moon);
            row[0] = (float)((moon == 0 ? x : 1 - x) + (Noise * random.NextNormal()));
            row[1] = (float)((moon == 0 ? y : 0.5 - y) + (Noise * random.NextNormal()));
            hash.AppendData(MemoryMarshal.AsBytes(row));
            hash.AppendData([(byte)moon]);
            if (moon == 1) (x, y) = ((x * Cosine) - (y * Sine), (x * Sine) + (y * Cosine));
        }

        return new Dataset
        {
            Name = Name,
            Sha256 = Convert.ToHexStringLower(hash.GetHashAndReset()),
            InputShape = [2],
            Columns = ["x", "y"],
            Task = new Classification(["upper", "lower"]),
            Preprocessing = Preprocessing.None,
            Train = train.ToSamples(Preprocessing.None, [0, 1]),
            Test = test.ToSamples(Preprocessing.None, [0, 1]),
        };
    }

    /// <summary>Steele, Lea and Flood, 2014.</summary>
    private struct SplitMix64(ulong state)
    {
        /// <summary>The sum of twelve uniform numbers less 6: mean 0, deviation 1, and nearly normal.</summary>
        public double NextNormal()
        {
            var sum = -6.0;
            for (var i = 0; i < 12; i++) sum += (Next() >> 11) * (1.0 / (1UL << 53));
            return sum;
        }

        private ulong Next()
        {
            var z = state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}
