using System.Diagnostics.Metrics;
using System.Text;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Plans;
using DistributedEnsemble.Grains.Resilience;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Members;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Safetensors;
using Microsoft.Extensions.Logging;
using Polly;

namespace DistributedEnsemble.Grains.Lanes;

/// <summary>The training of one member under one attempt: runs on a lane, and hands its results to the coordinator in order.</summary>
/// <param name="patience">How long a checkpoint that cannot be read is tried again.</param>
internal sealed class MemberWork(
    KnownRun known, Assignment assignment, RunFolder folder, PlanCache plans, ICoordinator coordinator, TimeSpan patience, TimeProvider time,
    ILogger<MemberWork> log) : LaneWork(known.Key, assignment.Attempt)
{
    public static readonly TimeSpan PatienceWithSharedFolders = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100), LongestPause = TimeSpan.FromSeconds(5);

    private readonly EnsembleSpec _spec = EnsembleSpec.FromJson(known.Definition.Spec);
    private readonly StringBuilder _lines = new();
    private ResiliencePipeline? _delivery;
    private volatile bool _isStopping, _isAbandoned;
    private volatile MemberProgress? _progress;

    private ResiliencePipeline UntilHeard =>
        _delivery ??= Retries.Of(time, int.MaxValue, FirstPause, LongestPause, exception => !_isAbandoned && IsPassing(exception), NotHeard);

    public override int Threads => _spec.ThreadsPerMember;

    public override MemberProgress? Progress => _progress;

    public override void Stop() => _isStopping = true;

    public override void Abandon() => _isAbandoned = true;

    public override Task RunAsync(Func<Lane> thread, Action yieldCore) => thread().RunAsync(() => Train(yieldCore));

    private void Train(Action yieldCore)
    {
        try
        {
            using var outbox = new Outbox(DeliverAsync);
            Train(outbox, yieldCore);
            outbox.Complete();
        }
        catch (Exception exception)
        {
            // What was to be handed over is lost: the run hears that the member failed, past the outbox.
            log.MemberBroke(exception, Run, Attempt.Member);
            DeliverAsync(Failure($"{exception.GetType().Name}: {exception.Message}")).GetAwaiter().GetResult();
        }
    }

    private void Train(Outbox outbox, Action yieldCore)
    {
        try
        {
            using var use = plans.Take(known);
            Train(use.Plan, outbox, yieldCore);
        }
        catch (StorageAwayException exception)
        {
            // Where it begins is not known: another lane finds out later.
            NotHeard(exception, TimeSpan.Zero);
            outbox.Add(new Delivery(() => coordinator.ReleaseAsync(Attempt)));
        }
        catch (Exception exception)
        {
            var isExpected = exception is DivergedException or SpecException or DataException;
            if (!isExpected) log.MemberBroke(exception, Run, Attempt.Member);
            outbox.Add(Failure(isExpected ? exception.Message : $"{exception.GetType().Name}: {exception.Message}"));
        }
    }

    private void Train(TrainingPlan plan, Outbox outbox, Action yieldCore)
    {
        using var training = Begin(plan, yieldCore);
        var own = plan.Of(Attempt.Member);
        var rate = new StepRate(time, training.Step);
        var lastCheckpoint = time.GetTimestamp();
        Report(training, null, rate, lastCheckpoint);
        while (!training.HasEnded && !_isStopping)
        {
            if (_isAbandoned) return;
            var metrics = training.Advance();
            Measurements.Steps.Add(1);
            if (metrics is not null) _lines.Append(metrics.ToLine());
            // Once for all that is asked of it: steps may take microseconds.
            var now = time.GetTimestamp();
            Report(training, metrics, rate, now);
            if (training.IsSnapshot || training.IsAveraged) HandOver(outbox, training.Step, training.CopyWeights(), training.IsSnapshot, training.IsAveraged);
            if (!training.HasEnded && time.GetElapsedTime(lastCheckpoint, now).TotalSeconds >= _spec.Checkpoints.EverySeconds)
            {
                Commit(training, outbox);
                lastCheckpoint = time.GetTimestamp();
            }
        }

        if (training.HasEnded) Finish(training, outbox);
        else Leave(training, outbox);
    }

    /// <summary>The training copies what it needs of a checkpoint, which is not held for longer.</summary>
    private MemberTraining Begin(TrainingPlan plan, Action yieldCore)
    {
        using var checkpoint = LoadCheckpoint(plan);
        return new MemberTraining(plan, Attempt.Member, checkpoint, yieldCore);
    }

    private void HandOver(Outbox outbox, int step, Weights weights, bool isSnapshot, bool isAveraged)
    {
        outbox.Add(new Delivery(
            () => StoreAsync(Measurements.SnapshotTime, () => coordinator.CollectAsync(new HandOver(Attempt, Save(), isSnapshot, isAveraged))), weights));

        WeightFile Save() => isSnapshot
            ? WeightFiles.SaveSnapshot(folder, Run, Attempt, step, weights)
            : WeightFiles.SaveHandOver(folder, Run, Attempt, step, weights);
    }

    private void Commit(MemberTraining training, Outbox outbox)
    {
        var (copying, step, lines) = (training.CopyCheckpointAsync(), training.Step, TakeLines());
        outbox.Add(new Delivery(
            async () =>
            {
                var checkpoint = await copying;
                return await StoreAsync(Measurements.CheckpointTime, () => coordinator.CommitAsync(new Commit(
                    Attempt, step, WeightFiles.SaveCheckpoint(folder, Run, Attempt, checkpoint), lines, FinalStep: null)));
            },
            new Copy(copying)));
    }

    private void Finish(MemberTraining training, Outbox outbox)
    {
        // A best model that was no snapshot is kept now that nothing better comes.
        if (training.KeepsFinal) HandOver(outbox, training.FinalStep, training.CopyFinal(), isSnapshot: true, isAveraged: false);
        var (lines, step, final) = (TakeLines(), training.Step, training.FinalStep);
        outbox.Add(new Delivery(() => coordinator.CommitAsync(new Commit(Attempt, step, null, lines, final))));
    }

    private void Leave(MemberTraining training, Outbox outbox)
    {
        Commit(training, outbox);
        outbox.Add(new Delivery(() => coordinator.ReleaseAsync(Attempt)));
    }

    private Delivery Failure(string reason)
    {
        var failure = new MemberFailure(Attempt, _progress?.Step ?? 0, reason);
        return new Delivery(() => coordinator.FailAsync(failure));
    }

    /// <summary>Writes a file and tells of it; a lane that slept while its run was deleted leaves the folder alone.</summary>
    private async Task<Acknowledgement> StoreAsync(Histogram<double> seconds, Func<Task<Acknowledgement>> sendAsync)
    {
        // Of objects the coordinator has the word: their record may be copied later.
        if (folder.Storage is FolderStorage && RecordFiles.IsGone(folder, Run)) return Acknowledgement.Superseded;
        var begun = time.GetTimestamp();
        var answer = await sendAsync();
        seconds.Record(time.GetElapsedTime(begun).TotalSeconds);
        return answer;
    }

    /// <summary>Delivers until the coordinator has answered; its answer decides whether the lane goes on.</summary>
    private async Task<bool> DeliverAsync(Delivery delivery)
    {
        if (_isAbandoned) return false;
        try
        {
            var answer = await UntilHeard.ExecuteAsync(async _ => await delivery.SendAsync());
            if (answer == Acknowledgement.Superseded) log.Superseded(Run, Attempt.Member, Attempt.Attempt);
            if (answer == Acknowledgement.Superseded) Abandon();
            if (answer == Acknowledgement.Stop) Stop();
            return !_isAbandoned;
        }
        catch (Exception exception) when (IsPassing(exception))
        {
            // Nobody wants to hear it any more.
        }
        catch (Exception exception) when (StoreFailure.In(exception) is { } reason)
        {
            log.StoreFailed(exception, Run, Attempt.Member);
            Abandon();
            await PauseAsync(reason);
        }
        catch (Exception exception)
        {
            log.MemberBroke(exception, Run, Attempt.Member);
            Abandon();
            await PauseAsync($"{exception.GetType().Name}: {exception.Message}");
        }

        return false;
    }

    /// <summary>Whoever does not hear of it misses this lane after a while, and gives the member to another.</summary>
    private async Task PauseAsync(string reason)
    {
        try
        {
            await Retries.Of(time, most: 4, FirstPause, FirstPause, _ => true, NotHeard).ExecuteAsync(async _ => await coordinator.PauseAsync(Attempt, reason));
        }
        catch (Exception exception)
        {
            NotHeard(exception, TimeSpan.Zero);
        }
    }

    private void NotHeard(Exception exception, TimeSpan pause) => log.CoordinatorAway(exception, Run, Attempt.Member, pause);

    /// <summary>Coordinators come back elsewhere, and stores too.</summary>
    private static bool IsPassing(Exception exception) => exception is OrleansException or TimeoutException or StorageAwayException;

    /// <summary>The newest checkpoint that can be read; null is the beginning.</summary>
    private MemberCheckpoint? LoadCheckpoint(TrainingPlan plan)
    {
        foreach (var file in assignment.Checkpoints)
        {
            try
            {
                return LoadPatiently(file, plan);
            }
            catch (Exception exception) when (exception is (IOException or SafetensorsException) and not StorageAwayException)
            {
                log.CheckpointDamaged(Run, Attempt.Member, exception.Message);
            }
        }

        return null;
    }

    private MemberCheckpoint LoadPatiently(WeightFile file, TrainingPlan plan)
    {
        for (var since = time.GetTimestamp(); ; Thread.Sleep(FirstPause))
        {
            try
            {
                return WeightFiles.LoadCheckpoint(folder, file, plan);
            }
            // It may be whole in a moment; and of a store that is away nobody knows that it is not.
            catch (Exception exception) when (exception is IOException or SafetensorsException && !_isStopping && !_isAbandoned
                && (exception is StorageAwayException || time.GetElapsedTime(since) < patience))
            {
                if (exception is StorageAwayException) NotHeard(exception, FirstPause);
            }
        }
    }

    private string TakeLines()
    {
        var lines = _lines.ToString();
        _lines.Clear();
        return lines;
    }

    private void Report(MemberTraining training, StepMetrics? metrics, StepRate rate, long now) =>
        _progress = new MemberProgress(Attempt, LaneNumbers[0], training.Step, metrics?.Loss ?? _progress?.Loss, rate.At(training.Step, now));

    /// <summary>A checkpoint that may still be on its way when nobody needs it any more.</summary>
    private sealed class Copy(Task<MemberCheckpoint> copying) : IDisposable
    {
        public void Dispose() => copying.ContinueWith(copy => copy.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
