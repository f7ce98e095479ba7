using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>
/// Predicts rows from a run's folder alone, on the calling thread: what the run was trained on need not be there.
/// </summary>
public sealed class RunPrediction : IDisposable
{
    private readonly List<Weights> _weights = [];
    private readonly Ensemble _ensemble;

    private RunPrediction(RunFolder folder, RunDescription run, Network network, ConstituentSelection selection)
    {
        Data = run.Data;
        try
        {
            foreach (var file in selection.Constituents) _weights.Add(WeightFiles.LoadWeights(folder, file, network.Layout));
        }
        catch
        {
            Dispose();
            throw;
        }

        var random = new RandomSource(run.Spec.Seed);
        _ensemble = new Ensemble(
            [.. selection.Constituents.Zip(_weights,
                (file, weights) => Predictors.Create(network, random, weights, file.Member, selection.MonteCarloSamples))],
            selection.Multiplicities);
    }

    /// <summary>What rows must be like, and what the classes are called.</summary>
    public DataDescription Data { get; }

    /// <summary>Models that are averaged.</summary>
    public int Constituents => _weights.Count;

    /// <param name="choice">What differs from the spec's prediction.</param>
    /// <exception cref="SpecException">Nothing fits the choice.</exception>
    /// <exception cref="InvalidDataException">The folder's spec or data description is missing or damaged.</exception>
    /// <exception cref="SafetensorsException">A file of weights is missing or damaged.</exception>
    public static RunPrediction Open(RunFolder folder, RunStatus status, ConstituentChoice? choice, NetworkRegistry networks)
    {
        set_num_threads(1);
        var run = RunDescription.Read(folder);
        var network = networks.Build(run.Spec, run.Data.InputShape, run.Data.Classes.Length);
        var chosen = ChosenConstituents.Of(status, run.Spec, network, choice);
        return new RunPrediction(folder, run, network, ConstituentSelection.Stored(folder, status.Run, chosen));
    }

    /// <summary>Averaged class probabilities, [rows, classes], row after row.</summary>
    /// <param name="raw">Raw features or pixels, row after row.</param>
    public float[] Predict(ReadOnlySpan<float> raw) => BatchedPrediction.OfRaw(_ensemble, Data.InputShape, Data.Preprocessing, raw).Probabilities;

    public void Dispose()
    {
        foreach (var weights in _weights) weights.Dispose();
    }
}
