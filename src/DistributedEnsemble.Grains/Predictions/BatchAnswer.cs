using System.Collections.Immutable;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using DistributedEnsemble.Training;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Grains;

/// <summary>What the selected models say of a batch. A member counts with all of its constituents or not at all.</summary>
internal sealed class BatchAnswer : IBatchAnswer
{
    private readonly RunModel _model;
    private readonly ConstituentSelection _selection;
    private readonly ConstituentProbabilities _answers;
    private readonly List<IGrouping<int, int>> _members;
    private readonly RowAnswers _mean;

    /// <param name="answers">Of each constituent in the order of the selection; empty where there is none.</param>
    public BatchAnswer(RunModel model, ConstituentSelection selection, ConstituentProbabilities answers)
    {
        (_model, _selection, _answers) = (model, selection, answers);
        _members = [.. Enumerable.Range(0, selection.Constituents.Length).GroupBy(place => selection.Constituents[place].Member)
            .Where(places => places.All(place => !answers.Values[place].IsDefaultOrEmpty))];
        if (_members.Count > 0) _mean = Mean(_members.SelectMany(places => places));
    }

    /// <summary>Members that answered.</summary>
    public int Members => _members.Count;

    /// <inheritdoc/>
    public Prediction Part(int first, BatchRequest request)
    {
        string[] classes = [.. ((Classification)_model.Data.Task).Classes];
        var mean = new RowAnswers(
            _mean.Probabilities[(first * classes.Length)..((first + request.Count) * classes.Length)],
            _mean.ExpectedEntropies[first..(first + request.Count)]);
        var probabilities = request.Prediction.Calibrated
            ? TemperatureScaling.Apply(mean.Probabilities, classes.Length, _selection.Fit!.Temperature)
            : mean.Probabilities;
        var labels = new int[request.Count];
        var entropies = new float[request.Count];
        for (var row = 0; row < labels.Length; row++)
        {
            var ofRow = probabilities.AsSpan(row * classes.Length, classes.Length);
            labels[row] = TensorPrimitives.IndexOfMax<float>(ofRow);
            entropies[row] = (float)Uncertainty.Entropy(ofRow);
            if (float.IsNaN(ofRow[labels[row]]))
            {
                throw new RunRejectedException(
                    $"The model's answer to row {row} is not a number: the row's numbers are too large for this run's data.");
            }
        }

        return new Prediction(
            ImmutableCollectionsMarshal.AsImmutableArray(classes), ImmutableCollectionsMarshal.AsImmutableArray(probabilities),
            [.. labels.Select(label => classes[label])], _members.Sum(places => places.Count()))
        {
            Entropies = ImmutableCollectionsMarshal.AsImmutableArray(entropies),
            MutualInformation = ImmutableCollectionsMarshal.AsImmutableArray(Uncertainty.MutualInformation(mean, classes.Length)),
            LabelIndices = ImmutableCollectionsMarshal.AsImmutableArray(labels),
            MembersUsed = [.. _members.Select(places => places.Key)],
            MemberProbabilities = request.Prediction.PerMember
                ? [.. _members.Select(places => Mean(places).Probabilities[(first * classes.Length)..((first + request.Count) * classes.Length)])
                    .Select(ImmutableCollectionsMarshal.AsImmutableArray)]
                : [],
        };
    }

    private RowAnswers Mean(IEnumerable<int> places)
    {
        ProbabilityMean probabilities = new(), entropies = new();
        foreach (var place in places)
        {
            probabilities.Add(_answers.Values[place].AsSpan(), _selection.Multiplicities[place]);
            entropies.Add(_answers.ExpectedEntropies[place].AsSpan(), _selection.Multiplicities[place]);
        }

        return new RowAnswers(probabilities.ToArray(), entropies.ToArray());
    }
}
