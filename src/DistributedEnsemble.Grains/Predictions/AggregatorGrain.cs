using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Plans;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tables;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace DistributedEnsemble.Grains.Predictions;

/// <inheritdoc cref="IAggregator"/>
[StatelessWorker(1), Reentrant]
internal sealed class AggregatorGrain : Grain, IAggregator
{
    private readonly ServedRun _served;
    private readonly RequestBatcher _batcher;
    private readonly RowPredictions _rows;
    private readonly LocalAggregators _here;
    private readonly PredictionCounters _counters;
    private readonly ValidationScores _scores;

    public AggregatorGrain(
        PlanCache plans, EnsembleTrainingOptions options, RunDefinitions definitions, RunModelCache models, ConstituentPredictor here, PredictionThreads threads,
        PredictionCounters counters, LocalAggregators local, TimeProvider time, ILogger<AggregatorGrain> log)
    {
        (_counters, _here) = (counters, local);
        _served = new ServedRun(Run, GrainFactory, options, definitions, plans, models, time, log);
        _scores = new ValidationScores(_served);
        var predictor = new EnsemblePredictor(Run, options, here, GrainFactory, time, log);
        _batcher = new RequestBatcher(
            options.Prediction, threads.Count, threads.IsIdle, time,
            (batch, cancellation) => predictor.PredictAsync(_served.Model, batch, cancellation),
            (rows, queued, computed) => counters.Add(Run, rows, queued, computed));
        _rows = new RowPredictions(Run, _served, _batcher);
    }

    private RunKey Run => RunKey.Parse(this.GetPrimaryKeyString());

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _here.Add(Run, _rows);
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _here.Remove(Run, _rows);
        _batcher.Dispose();
        _scores.Dispose();
        return Task.CompletedTask;
    }

    public Task<Prediction> PredictAsync(PredictionRequest request, CancellationToken cancellationToken) => _rows.PredictAsync(request, cancellationToken);

    public async Task<ServedModel> DescribeAsync()
    {
        await _served.RefreshAsync();
        var (data, task, prediction) = (_served.Model.Data, _served.Model.Task, _served.Model.Spec.Prediction);
        var columns = ClientRows.Columns(data);
        return new ServedModel(columns.IsEmpty ? [.. data.InputShape] : [columns.Length], task.Name, [.. task.Predictions], _served.Status.Members.Length)
        {
            Columns = columns,
            MemberOutputs = [.. task.MemberPredictions],
            Size = new PredictionSize(
                _served.Model.Width, task.Width, prediction.From, prediction.Select, MostOfOneMember(_served.Status.Snapshots), MostOfOneMember(_served.Status.Ema)),
        };

        static int MostOfOneMember(IEnumerable<WeightFile> files) => files.CountBy(file => file.Member).Select(member => member.Value).DefaultIfEmpty().Max();
    }

    public Task<PredictionStatistics> GetStatisticsAsync() => Task.FromResult(_counters.Of(Run));

    public async Task<OutOfFoldPage> PredictOutOfFoldAsync(OutOfFoldRequest request, CancellationToken cancellationToken)
    {
        await _served.RefreshAsync(TimeSpan.Zero);
        var chosen = _served.Choose(request.Choice);
        return await Task.Run(async () =>
        {
            using var use = _served.TakePlan();
            var plan = use.Plan;
            var fit = chosen.IsGreedy || plan.Task.NeedsFit ? await _served.FitAsync(plan, chosen, cancellationToken) : null;
            return await OutOfFoldPrediction.OfAsync(Run.Name, plan, chosen, fit, _served.Constituents(cancellationToken), request);
        }, cancellationToken);
    }

    // Off the grain's scheduler: measuring many models takes seconds, and only waits for the members' grains in between.
    public async Task<EvaluationReport> EvaluateAsync(EvaluationRequest request, CancellationToken cancellationToken)
    {
        await _served.RefreshAsync(TimeSpan.Zero);
        var chosen = _served.Choose(request.Choice);
        return await Task.Run(async () =>
        {
            using var use = _served.TakePlan();
            var plan = use.Plan;
            var selection = ConstituentSelection.Of(chosen, await _served.FitAsync(plan, chosen, cancellationToken));
            var report = await EnsembleEvaluation.RunAsync(Run.Name, plan, selection, _served.Constituents(cancellationToken), request.Coverage);
            return report with { Teacher = await _served.MeasureTeacherAsync(plan, cancellationToken) };
        }, cancellationToken);
    }

    public async Task<EnsembleScores?> ScoreAsync(CancellationToken cancellationToken)
    {
        await _served.RefreshAsync(TimeSpan.Zero);
        return await _scores.OfAsync(cancellationToken);
    }
}
