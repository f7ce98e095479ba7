using System.Collections.Immutable;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Predictions;

/// <summary>
/// The functions of a run's models, from raw rows to answers. What the run was trained on need not be
/// there. Immutable; used by many threads.
/// </summary>
internal sealed class RunModel
{
    private readonly RandomSource _random;

    private RunModel(EnsembleSpec spec, DataDescription data, NetworkRegistry networks)
    {
        (Spec, Data, _random) = (spec, data, new RandomSource(spec.Seed));
        Task = data.Task.For(spec.OfMember(0));
        var inputs = data.Inputs;
        Width = (int)inputs.Width;
        Networks = new MemberNetworks(spec, inputs, Task.Outputs, networks, _random);
        foreach (var member in Networks.Variants) _ = Networks.Of(member);
    }

    public EnsembleSpec Spec { get; }

    /// <summary>What rows must be like.</summary>
    public DataDescription Data { get; }

    /// <summary>What is predicted, as the spec wants it.</summary>
    public LearningTask Task { get; }

    public MemberNetworks Networks { get; }

    /// <summary>Numbers of one row.</summary>
    public int Width { get; }

    /// <exception cref="SpecException">The spec names a kind of network that is not registered here.</exception>
    /// <exception cref="DataException">The description of the data is damaged.</exception>
    public static RunModel Of(RunDefinition definition, NetworkRegistry networks) =>
        new(EnsembleSpec.FromJson(definition.Spec), DataDescription.FromJson(definition.Data), networks);

    /// <exception cref="SpecException">The spec names a kind of network that is not registered here.</exception>
    public static RunModel Of(RunDescription run, NetworkRegistry networks) => new(run.Spec, run.Data, networks);

    /// <summary>One constituent as a predictor of inputs.</summary>
    /// <param name="monteCarloSamples">Dropout masks to average over; 0 is weight scaling.</param>
    public IPredictor Predictor(Weights weights, int member, int monteCarloSamples) =>
        Predictors.Create(Networks.Of(member), Task, _random, weights, member, monteCarloSamples);

    /// <summary>Makes inputs of raw rows, once for all constituents.</summary>
    /// <param name="raw">Pieces of [rows, …input shape], row after row and piece after piece.</param>
    public PreparedRows Prepare(ImmutableArray<ImmutableArray<float>> raw)
    {
        var inputs = new NativeVector(raw.Sum(piece => (long)piece.Length));
        var rest = inputs.Span;
        foreach (var piece in raw)
        {
            piece.CopyTo(rest);
            Data.Preprocessing.Apply(rest[..piece.Length]);
            rest = rest[piece.Length..];
        }

        return new PreparedRows(this, inputs);
    }

    /// <summary>Inputs of the run's models, in native memory.</summary>
    public sealed class PreparedRows : IDisposable
    {
        private readonly RunModel _model;
        private readonly NativeVector _inputs;

        internal PreparedRows(RunModel model, NativeVector inputs) => (_model, _inputs) = (model, inputs);

        /// <summary>One constituent's answers.</summary>
        /// <returns>[rows, width].</returns>
        /// <exception cref="OperationCanceledException">Between two batches.</exception>
        public double[] Predict(Weights weights, int member, int monteCarloSamples, CancellationToken cancellation) =>
            BatchedPrediction.Of(
                _model.Predictor(weights, member, monteCarloSamples), _inputs.Span, _model.Width, cancellation);

        public void Dispose() => _inputs.Dispose();
    }
}
