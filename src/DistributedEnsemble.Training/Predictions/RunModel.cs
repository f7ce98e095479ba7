using System.Collections.Immutable;
using DistributedEnsemble.Training.Tasks;
using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training;

/// <summary>
/// The function that all models of a run share, from raw rows to answers. What the run was trained on need not be
/// there. Immutable; used by many threads.
/// </summary>
public sealed class RunModel
{
    private readonly RandomSource _random;

    private RunModel(EnsembleSpec spec, DataDescription data, LearningTask task, Network network) =>
        (Spec, Data, Task, Network, _random) = (spec, data, task, network, new RandomSource(spec.Seed));

    public EnsembleSpec Spec { get; }

    /// <summary>What rows must be like.</summary>
    public DataDescription Data { get; }

    /// <summary>What is predicted, as the spec wants it.</summary>
    public LearningTask Task { get; }

    public Network Network { get; }

    /// <summary>Numbers of one row.</summary>
    public int Width => (int)Data.Inputs.Width;

    /// <exception cref="SpecException">The spec names a kind of network that is not registered here.</exception>
    /// <exception cref="DataException">The description of the data is damaged.</exception>
    public static RunModel Of(RunDefinition definition, NetworkRegistry networks)
    {
        var (spec, data) = (EnsembleSpec.FromJson(definition.Spec), DataDescription.FromJson(definition.Data));
        var task = data.Task.For(spec);
        return new RunModel(spec, data, task, networks.Build(spec, data.Inputs, task.Outputs));
    }

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
                Predictors.Create(_model.Network, _model.Task, _model._random, weights, member, monteCarloSamples), _inputs.Span, _model.Width,
                cancellation);

        public void Dispose() => _inputs.Dispose();
    }
}
