using System.Collections.Concurrent;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Plans;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Distillation;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Predictions;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Predictions;

/// <summary>
/// What an aggregator knows of its run, asked of the coordinator now and then: a run that has ended changes no more, and one
/// whose coordinator is away is served as it was. It changes in the aggregator's turns alone; what is known can be read by any thread.
/// </summary>
internal sealed class ServedRun(
    RunKey run, IGrainFactory grains, EnsembleTrainingOptions options, RunDefinitions definitions, PlanCache plans, RunModelCache models, TimeProvider time, ILogger log)
{
    /// <summary>A client chooses, so what is remembered of choices must end.</summary>
    private const int MostChoices = 64;

    /// <summary>A fit asks all models for all validation rows, and goes on when nobody waits for it any more: the next one would use it.</summary>
    private const int MostFits = 8;

    private static readonly TimeSpan s_whileTraining = TimeSpan.FromSeconds(1), s_whenEnded = TimeSpan.FromSeconds(10);

    private readonly ICoordinator _coordinator = grains.GetGrain<ICoordinator>(run.ToString());
    private readonly ConcurrentDictionary<(ConstituentChoice Choice, bool IsFitted, bool MayExit), Task<ConstituentSelection>> _selections = [];
    private (KnownRun Run, RunModel Model)? _model;

    /// <summary>Set behind the model: who sees a status finds it.</summary>
    private volatile RunStatus? _status;
    private long _statusAt;
    private Task? _refreshing;
    private int _fitting;

    public RunModel Model => _model!.Value.Model;

    public RunStatus Status => _status!;

    /// <param name="cancellation">Ends what is asked of them.</param>
    public IConstituents Constituents(CancellationToken cancellation = default) => new MemberConstituents(grains, run, Model.Task.Width, cancellation);

    /// <param name="oldest">How old the coordinator's last word may be; by default it depends on whether the run has ended.</param>
    /// <exception cref="RunRejectedException">There is no such run, or this silo cannot build its network.</exception>
    public async Task RefreshAsync(TimeSpan? oldest = null)
    {
        if (IsKnown(oldest)) return;
        var refreshing = _refreshing ??= AskAsync();
        try
        {
            await refreshing;
        }
        finally
        {
            if (_refreshing == refreshing) _refreshing = null;
        }
    }

    /// <exception cref="RunRejectedException">Nothing fits the choice.</exception>
    public ChosenConstituents Choose(ConstituentChoice? choice) =>
        Rejecting(() => ChosenConstituents.Of(Status, Model.Spec, Model.Networks, choice));

    /// <summary>What a choice comes to, with what the validation split says where that is needed.</summary>
    /// <exception cref="RunRejectedException">Nothing fits the choice, or it needs validation rows and there are none.</exception>
    /// <param name="mayExit">Whether rows may be asked of few members where the choice leaves it to the silo.</param>
    public async Task<ConstituentSelection> SelectAsync(ConstituentChoice? choice, bool isCalibrated, bool mayExit)
    {
        var key = (choice ?? new ConstituentChoice(), isCalibrated, mayExit);
        if (!_selections.TryGetValue(key, out var selecting))
        {
            if (_selections.Count == MostChoices) _selections.Clear();
            _selections[key] = selecting = SelectAsync(Choose(choice), isCalibrated, mayExit && choice?.EarlyExit is null ? options.Prediction.EarlyExit : 0);
        }

        try
        {
            return await selecting;
        }
        catch
        {
            _selections.TryRemove(KeyValuePair.Create(key, selecting));
            throw;
        }
    }

    /// <summary>What a choice comes to, if that was found already, and the coordinator's last word is not too old.</summary>
    /// <inheritdoc cref="SelectAsync(ConstituentChoice, bool, bool)"/>
    public ConstituentSelection? KnownSelection(ConstituentChoice? choice, bool isCalibrated, bool mayExit) =>
        IsKnown() && _selections.TryGetValue((choice ?? new ConstituentChoice(), isCalibrated, mayExit), out var selecting) && selecting.IsCompletedSuccessfully
            ? selecting.Result
            : null;

    /// <summary>The run's plan; loads its data, which stays in memory until the use ends.</summary>
    /// <exception cref="RunRejectedException">The data cannot be had.</exception>
    public PlanCache.PlanUse TakePlan() => Rejecting(() => plans.Take(_model!.Value.Run));

    /// <returns>Null without a validation split.</returns>
    public Task<ValidationFit?> FitAsync(TrainingPlan plan, ChosenConstituents chosen, CancellationToken cancellation = default) =>
        ValidationFits.OfAsync(options.FolderOf(run.Name), plan, chosen, Constituents(cancellation));

    /// <returns>Null unless the run has a teacher, and that is what it was.</returns>
    public Task<TeacherMeasures?> MeasureTeacherAsync(TrainingPlan plan, CancellationToken cancellation) =>
        Teacher.MeasureAsync(options.FolderOf(run.Name), plan, options.Networks, cancellation);

    /// <param name="ownExit">The silo's own probability of an early exit, where the choice has none: what cannot promise it asks all members.</param>
    private async Task<ConstituentSelection> SelectAsync(ChosenConstituents chosen, bool isCalibrated, double ownExit)
    {
        var hasRows = Model.Spec.Data is not { ValidationFraction: 0, HasOutOfFold: false };
        if (!hasRows || !Status.HasEnded) ownExit = 0;
        if (!isCalibrated && !chosen.IsGreedy && !Model.Task.NeedsFit && chosen.EarlyExit == 0 && ownExit == 0) return ConstituentSelection.Of(chosen, null);
        if (isCalibrated && !hasRows)
        {
            throw new RunRejectedException(
                $"calibrated is true: calibration is fitted on validation rows, and run \"{run.Name}\" kept none. Ask without it.");
        }

        if (_fitting == MostFits) throw new OverloadedException($"{MostFits} choices of models are being fitted on validation rows, the most at once: ask again in a moment.");
        _fitting++;
        try
        {
            return await Task.Run(async () =>
            {
                var fit = ValidationFits.Stored(options.FolderOf(run.Name), chosen);
                if (fit is not { Fit: not null } || (fit.Exits is null && (chosen.EarlyExit > 0 || ownExit > 0)))
                {
                    using var use = TakePlan();
                    fit = await FitAsync(use.Plan, chosen);
                }

                var selection = Rejecting(() => ConstituentSelection.Of(chosen, fit));
                return ownExit > 0 ? selection with { Exit = fit?.Exits?.Rule(ownExit) } : selection;
            });
        }
        finally
        {
            _fitting--;
        }
    }

    private bool IsKnown(TimeSpan? oldest = null) =>
        _status is { } status && time.GetElapsedTime(Volatile.Read(ref _statusAt)) < (oldest ?? (status.HasEnded ? s_whenEnded : s_whileTraining));

    private async Task AskAsync()
    {
        try
        {
            var status = await StatusAsync();
            if (_model is null)
            {
                var known = await definitions.OfAsync(run);
                _model = (known, await Task.Run(() => Rejecting(() => models.Of(known))));
            }

            if (_status is null || !_status.HasEnded || _status.State != status.State) _selections.Clear();
            (_status, _statusAt) = (status, time.GetTimestamp());
        }
        catch (Exception exception) when (exception is not RunRejectedException && _status is not null)
        {
            log.StatusNotRefreshed(exception, run);
            _statusAt = time.GetTimestamp();
        }
    }

    /// <summary>
    /// A run that another process trains is known here as it was when this process first read its record: whether it has ended
    /// since, its run.json says.
    /// </summary>
    private async Task<RunStatus> StatusAsync()
    {
        var status = await _coordinator.GetStatusAsync();
        if (status.HasEnded) return status;
        try
        {
            var written = await Task.Run(() => RunStatusFile.Read(options.FolderOf(run.Name)));
            return written is { HasEnded: true } && written.Id == run.Id ? written : status;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return status;
        }
    }

    private static T Rejecting<T>(Func<T> make)
    {
        try
        {
            return make();
        }
        catch (Exception exception) when (exception is SpecException or DataException)
        {
            throw new RunRejectedException(exception.Message);
        }
    }
}
