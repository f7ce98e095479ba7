using System.Collections.Immutable;
using System.Runtime.InteropServices;
using DistributedEnsemble.Training;
using Orleans.Concurrency;

namespace DistributedEnsemble.Grains;

/// <inheritdoc cref="IAggregator"/>
[StatelessWorker(1), Reentrant]
internal sealed class AggregatorGrain(PlanCache plans) : Grain, IAggregator
{
    /// <summary>Rows that one call to a member asks for: a multiple of the batch, so that the bits do not depend on it.</summary>
    private const int RowsPerCall = 16 * BatchedPrediction.BatchSize;

    private RunKey Run => RunKey.Parse(this.GetPrimaryKeyString());

    public async Task<Prediction> PredictAsync(PredictionRequest request)
    {
        var (definition, plan, chosen) = await ChooseAsync(request.Choice);
        var query = new ConstituentQuery(definition, [], chosen.MonteCarloSamples, request.Rows, null, 0, 0);
        var answers = await AskAsync(query, chosen.Constituents);
        var mean = new ProbabilityMean();
        foreach (var answer in answers) mean.Add(answer.AsSpan());
        var probabilities = mean.ToArray();
        var classes = plan.Dataset.Classes;
        var labels = Enumerable.Range(0, probabilities.Length / classes.Count)
            .Select(row => classes[System.Numerics.Tensors.TensorPrimitives.IndexOfMax(probabilities.AsSpan(row * classes.Count, classes.Count))]);
        return new Prediction(
            [.. classes], ImmutableCollectionsMarshal.AsImmutableArray(probabilities), [.. labels], chosen.Constituents.Length);
    }

    public async Task<EvaluationReport> EvaluateAsync(EvaluationRequest request)
    {
        var (definition, plan, chosen) = await ChooseAsync(request.Choice);
        var evaluation = new EnsembleEvaluation(plan, chosen.Constituents);
        foreach (var part in evaluation.Parts)
        {
            var rows = (int)plan.Samples(part).Count;
            for (var start = 0; start < rows; start += RowsPerCall)
            {
                var count = Math.Min(RowsPerCall, rows - start);
                var query = new ConstituentQuery(definition, [], chosen.MonteCarloSamples, [], part, start, count);
                evaluation.Add(part, start, await AskAsync(query, chosen.Constituents));
            }
        }

        return evaluation.Report(Run.Name);
    }

    private async Task<(RunDefinition Definition, TrainingPlan Plan, ChosenConstituents Chosen)> ChooseAsync(ConstituentChoice? choice)
    {
        var coordinator = GrainFactory.GetGrain<ICoordinator>(Run.ToString());
        var definition = await coordinator.GetDefinitionAsync();
        var status = await coordinator.GetStatusAsync();
        try
        {
            var plan = await Task.Run(() => plans.Plan(Run, definition));
            return (definition, plan, ChosenConstituents.Of(status, plan, choice));
        }
        catch (Exception exception) when (exception is SpecException or DataException)
        {
            throw new RunRejectedException(exception.Message);
        }
    }

    /// <summary>Asks each member for its own constituents, all at once.</summary>
    /// <returns>The probabilities in the order of the constituents.</returns>
    private async Task<ImmutableArray<float>[]> AskAsync(ConstituentQuery query, ImmutableArray<WeightFile> constituents)
    {
        var places = constituents.Select((file, place) => (file, place)).GroupBy(entry => entry.file.Member).ToList();
        var answers = await Task.WhenAll(places.Select(member =>
            GrainFactory.GetGrain<IMember>(MemberKey.Of(Run, member.Key))
                .PredictAsync(query with { Constituents = [.. member.Select(entry => entry.file)] })));
        var ordered = new ImmutableArray<float>[constituents.Length];
        foreach (var (member, answer) in places.Zip(answers))
        {
            foreach (var ((_, place), probabilities) in member.Zip(answer.Values)) ordered[place] = probabilities;
        }

        return ordered;
    }
}
