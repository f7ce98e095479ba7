using System.Collections.Immutable;
using System.Runtime.InteropServices;
using DistributedEnsemble.Training;
using Orleans.Concurrency;

namespace DistributedEnsemble.Grains;

/// <inheritdoc cref="IAggregator"/>
[StatelessWorker(1), Reentrant]
internal sealed class AggregatorGrain(PlanCache plans, EnsembleTrainingOptions options) : Grain, IAggregator
{
    private RunKey Run => RunKey.Parse(this.GetPrimaryKeyString());

    public async Task<Prediction> PredictAsync(PredictionRequest request)
    {
        var (members, plan, chosen) = await ChooseAsync(request.Choice);
        if (request.Calibrated && plan.Split.Validation.Length == 0)
        {
            throw new RunRejectedException(
                $"calibrated is true: the temperature is fitted on validation rows, and run \"{Run.Name}\" kept none. Ask without it.");
        }

        var fit = request.Calibrated || chosen.IsGreedy ? await Task.Run(() => FitAsync(plan, chosen, members)) : null;
        var selection = ConstituentSelection.Of(chosen, fit);
        var mean = (await members.PredictAsync(selection.Constituents, chosen.MonteCarloSamples, request.Rows)).Mean(selection.Multiplicities);
        var classes = plan.Dataset.Classes;
        var probabilities = request.Calibrated
            ? TemperatureScaling.Apply(mean.Probabilities, classes.Count, fit!.Temperature)
            : mean.Probabilities;
        return Answer(classes, probabilities, mean) with { Constituents = selection.Constituents.Length };
    }

    // Off the grain's scheduler: measuring many models takes seconds, and only waits for the members' grains in between.
    public async Task<EvaluationReport> EvaluateAsync(EvaluationRequest request)
    {
        var (members, plan, chosen) = await ChooseAsync(request.Choice);
        return await Task.Run(async () =>
        {
            var selection = ConstituentSelection.Of(chosen, await FitAsync(plan, chosen, members));
            return await EnsembleEvaluation.RunAsync(Run.Name, plan, selection, members);
        });
    }

    private Task<ValidationFit?> FitAsync(TrainingPlan plan, ChosenConstituents chosen, MemberConstituents members) =>
        ValidationFits.OfAsync(new RunFolder(options.RunsFolder, Run.Name), plan, chosen, members);

    private async Task<(MemberConstituents Members, TrainingPlan Plan, ChosenConstituents Chosen)> ChooseAsync(ConstituentChoice? choice)
    {
        var coordinator = GrainFactory.GetGrain<ICoordinator>(Run.ToString());
        var definition = await coordinator.GetDefinitionAsync();
        var status = await coordinator.GetStatusAsync();
        try
        {
            var plan = await Task.Run(() => plans.Plan(Run, definition));
            return (new MemberConstituents(GrainFactory, Run, definition), plan, ChosenConstituents.Of(status, plan, choice));
        }
        catch (Exception exception) when (exception is SpecException or DataException)
        {
            throw new RunRejectedException(exception.Message);
        }
    }

    /// <param name="mean">The average before calibration.</param>
    private static Prediction Answer(IReadOnlyList<string> classes, float[] probabilities, RowAnswers mean)
    {
        var rows = Enumerable.Range(0, mean.ExpectedEntropies.Length).ToList();
        var labels = rows.Select(row => classes[System.Numerics.Tensors.TensorPrimitives.IndexOfMax(Row(row))]);
        return new Prediction([.. classes], ImmutableCollectionsMarshal.AsImmutableArray(probabilities), [.. labels], 0)
        {
            Entropies = [.. rows.Select(row => (float)Uncertainty.Entropy(Row(row)))],
            MutualInformation = [.. Uncertainty.MutualInformation(mean, classes.Count)],
        };

        ReadOnlySpan<float> Row(int row) => probabilities.AsSpan(row * classes.Count, classes.Count);
    }
}
