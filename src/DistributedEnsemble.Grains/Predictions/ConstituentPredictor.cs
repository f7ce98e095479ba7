using System.Collections.Immutable;
using System.Runtime.InteropServices;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Plans;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Predictions.EarlyExit;
using DistributedEnsemble.Training.Safetensors;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Predictions;

/// <summary>Asks single constituents, from this silo's cache and on its prediction threads.</summary>
internal sealed class ConstituentPredictor(
    EnsembleTrainingOptions options, RunDefinitions definitions, PlanCache plans, RunModelCache models, ConstituentCache cache, PredictionThreads threads,
    ILocalSiloDetails silo, ILogger<ConstituentPredictor> log)
{
    /// <summary>The name under which this silo answers.</summary>
    public string Silo { get; } = silo.SiloAddress.ToString();

    public async Task<ConstituentAnswers> PredictAsync(RunKey run, ConstituentQuery query, CancellationToken cancellation)
    {
        if (query.Part is not { } part) return await ServeAsync(run, query, cancellation);
        var known = await definitions.OfAsync(run);
        var values = await Task.WhenAll(query.Constituents.Select(file => threads.RunAsync(() => Predict(known, query, file, part, cancellation), cancellation)));
        return new ConstituentAnswers([.. values.Select(ImmutableCollectionsMarshal.AsImmutableArray)]);
    }

    /// <summary>Clients' rows; the constituents are divided over the idle threads.</summary>
    /// <exception cref="OverloadedException">Too much waits for the threads.</exception>
    public async Task<ConstituentAnswers> ServeAsync(RunKey run, ConstituentQuery query, CancellationToken cancellation)
    {
        var model = models.Of(await definitions.OfAsync(run));
        var answers = new double[query.Constituents.Length][];
        var rows = new Lazy<RunModel.PreparedRows>(() => model.Prepare(query.Rows));
        try
        {
            await threads.ServeAsync(answers.Length, Serve);
            return new ConstituentAnswers([.. answers.Select(ImmutableCollectionsMarshal.AsImmutableArray)]) { Silo = Silo };
        }
        finally
        {
            if (rows.IsValueCreated) rows.Value.Dispose();
        }

        void Serve(int part, int parts)
        {
            for (var i = part; i < answers.Length; i += parts)
            {
                cancellation.ThrowIfCancellationRequested();
                answers[i] = Predict(run, model, rows.Value, query.Constituents[i], query.MonteCarloSamples, cancellation);
            }
        }
    }

    /// <summary>Clients' rows that are asked of one member after the other, on one thread: to hand each turn to another would take longer than most turns.</summary>
    /// <param name="rowsOf">The rows at some places, raw.</param>
    /// <exception cref="OverloadedException">Too much waits for the threads.</exception>
    public async Task ServeInTurnsAsync(
        RunKey run, ConstituentSelection selection, RowExits exits, Func<ImmutableArray<int>, ImmutableArray<ImmutableArray<float>>> rowsOf, CancellationToken cancellation)
    {
        var model = models.Of(await definitions.OfAsync(run));
        await threads.ServeAsync(1, (_, _) =>
        {
            while (!exits.Rows.IsEmpty)
            {
                cancellation.ThrowIfCancellationRequested();
                using var rows = model.Prepare(rowsOf(exits.Rows));
                ImmutableArray<double>[] answers = [.. exits.Places.Select(place => ImmutableCollectionsMarshal.AsImmutableArray(
                    Predict(run, model, rows, selection.Constituents[place], selection.MonteCarloSamples, cancellation)))];
                exits.Add(answers.All(answer => !answer.IsEmpty) ? answers : null);
            }
        });
    }

    private double[] Predict(
        RunKey run, RunModel model, RunModel.PreparedRows rows, WeightFile file, int monteCarloSamples, CancellationToken cancellation)
    {
        try
        {
            using var weights = cache.Borrow(options.FolderOf(run.Name), file, model.Networks.Of(file.Member));
            return rows.Predict(weights.Value, file.Member, monteCarloSamples, cancellation);
        }
        catch (Exception exception) when (exception is SafetensorsException or IOException or UnauthorizedAccessException)
        {
            log.ConstituentUnreadable(exception, run, file.Member, file.File);
            return [];
        }
    }

    private double[] Predict(KnownRun run, ConstituentQuery query, WeightFile file, DataPart part, CancellationToken cancellation)
    {
        using var use = plans.Take(run);
        var plan = use.Plan;
        using var weights = cache.Borrow(options.FolderOf(run.Key.Name), file, plan.Of(file.Member).Network);
        var predictor = Predictors.Create(plan, weights.Value, file.Member, query.MonteCarloSamples);
        var answers = plan.Predict(predictor, file.Member, new RowRange(part, query.Start, query.Count), cancellation);
        if (query is { Skipped: 0, Answered: null }) return answers;
        var (from, rows) = (query.Skipped, query.Answered ?? query.Count - query.Skipped);
        return answers[(from * plan.Task.Width)..((from + rows) * plan.Task.Width)];
    }
}
