using System.Collections.Immutable;
using System.Text;
using DistributedEnsemble.Training;

namespace DistributedEnsemble.Grains;

/// <content>Takes what members have trained: hand-overs, checkpoints, metric lines.</content>
internal sealed partial class CoordinatorGrain
{
    /// <summary>More than a member can bring again: those since the checkpoint before the last are compared, as far as they go.</summary>
    private const int FoldedRemembered = 64;

    private readonly OneAtATime _folding = new();
    private AveragingSchedule? _averaging;

    public async Task<Acknowledgement> CollectAsync(HandOver handOver)
    {
        if (!IsCurrent(handOver.By)) return Acknowledgement.Superseded;
        var weights = handOver.Weights;
        var isAveraged = Averaging?.Includes(weights.Step) == true;
        var known = Known(weights);
        if (known is not null && known.Sha256 != weights.Sha256)
        {
            await EndAsync(RunState.Failed,
                $"not reproducible: member {weights.Member} came to step {weights.Step} twice, with weights {known.Sha256} and {weights.Sha256}");
            return Acknowledgement.Superseded;
        }

        if (known is null)
        {
            var isSnapshot = !isAveraged || weights.File != RunFolder.HandOver(weights.Member, weights.Step);
            if (isSnapshot) _state.State = Record.With(weights);
            if (isAveraged) _state.State = Record.With(Record.Members[weights.Member] with { Pending = weights });
        }

        await _writer.WriteAsync();
        if (isAveraged) await FoldAsync(weights);
        return IsCurrent(handOver.By) ? AnswerTo(handOver.By) : Acknowledgement.Superseded;
    }

    private AveragingSchedule? Averaging => _averaging ??= AveragingSchedule.Of(EnsembleSpec.FromJson(Record.Spec), Record.StepsPerMember);

    /// <summary>What the record has of that member and step.</summary>
    private WeightFile? Known(WeightFile weights)
    {
        var member = Record.Members[weights.Member];
        return Record.Snapshots.Append(member.Pending).Concat(member.Folded).FirstOrDefault(f => f?.Member == weights.Member && f.Step == weights.Step);
    }

    /// <summary>
    /// Folds the hand-over into the member's EMA model, unless that is done: the new model's file is written, the record names
    /// it, and then what it took the place of goes. A crash in between leaves the hand-over pending, and the member brings it
    /// again until it is answered.
    /// </summary>
    private async Task FoldAsync(WeightFile weights)
    {
        using var turn = await _folding.EnterAsync();
        var before = Record.Members[weights.Member];
        if (before.Pending is { } pending && pending.Step == weights.Step && _lock is not null)
        {
            var share = Averaging!.ShareAt(weights.Step);
            var model = await Task.Run(() => Measurements.EmaTime.Timed(() => EmaFiles.Fold(_folder, _run, before.Ema, pending, share)));
            if (Record.Members[weights.Member].Pending != pending || _lock is null) return;
            var folded = IsSnapshot(pending) ? before.Folded : before.Folded.Add(pending);
            _state.State = Record.With(Record.Members[weights.Member] with
            {
                Ema = model, Pending = null, Folded = [.. folded.TakeLast(FoldedRemembered)],
            });
            await _writer.WriteAsync();
            if (before.Ema is { } old) DropUnnamed(old);
        }

        if (_lock is not null) DropUnnamed(weights);
    }

    /// <summary>A file goes only after a written record no longer names it; after a failed write the record is the one before.</summary>
    private void DropUnnamed(WeightFile file)
    {
        if (!Record.Names(file.File)) FileOperations.Delete(_folder.Path(file.File));
    }

    private bool IsSnapshot(WeightFile weights) => Record.Snapshots.Any(s => s.File == weights.File);

    /// <summary>They do no harm: what cannot be removed stays for the next time.</summary>
    private async Task RemoveUnnamedAsync()
    {
        var (record, now) = (Record, _time.GetUtcNow());
        try
        {
            await Task.Run(() => UnnamedFiles.Remove(_folder, record, now));
        }
        catch (Exception exception) when (StoreFailure.In(exception) is not null)
        {
            _log.UnnamedNotRemoved(exception, _run);
        }
    }

    public async Task<Acknowledgement> CommitAsync(Commit commit)
    {
        if (!IsCurrent(commit.By)) return Acknowledgement.Superseded;
        if (commit.Step > Record.Members[commit.By.Member].Step || commit.Finished)
        {
            using var turn = await _metrics.EnterAsync();
            // Their place in the file is behind those that came before.
            await WriteMetricsAsync(commit.By.Member);
            if (!IsCurrent(commit.By)) return Acknowledgement.Superseded;
            await NameAsync(commit);
            await TryWriteMetricsAsync(commit.By.Member);
        }
        else if (commit.Checkpoint is { } known)
        {
            // The lane left before its first step: an earlier attempt's checkpoint says the same.
            DropUnnamed(known);
        }

        if (commit.Finished) await EndIfDoneAsync();
        return AnswerTo(commit.By);
    }

    /// <summary>
    /// Puts committed lines into the file, at the place that the record gives them: whoever does so, and however often, the
    /// file's bytes are the same.
    /// </summary>
    private async Task WriteMetricsAsync(int index)
    {
        var member = Record.Members[index];
        if (member.UnwrittenMetrics is not { } lines) return;
        await _metrics.WriteAsync(index, member.MetricsLength, lines);
        // Durable now; the record says so when it is next written.
        if (Record.Members[index] is { } now && now.UnwrittenMetrics == lines) _state.State = Record.With(now with { UnwrittenMetrics = null });
    }

    /// <summary>What fails is tried again, at the latest when the run is resumed: the lines are in the record.</summary>
    private async Task TryWriteMetricsAsync(int member)
    {
        try
        {
            await WriteMetricsAsync(member);
        }
        catch (Exception exception) when (StoreFailure.In(exception) is { } reason)
        {
            _log.MetricsNotWritten(exception, _run, member);
            if (!_ownership.OutlivesProcess) await PauseAsync(reason);
        }
    }

    /// <summary>Names a checkpoint and its metric lines, and then removes the checkpoints that are no longer named.</summary>
    private async Task NameAsync(Commit commit)
    {
        const int Kept = 2;
        var before = Record.Members[commit.By.Member];
        // A member that went on from an older checkpoint brings lines again that are named already.
        var lines = StepMetrics.LinesAfter(before.Step, commit.Metrics);
        var kept = commit.Finished ? [] : (ImmutableArray<WeightFile>)[commit.Checkpoint!, .. before.Checkpoints.Take(Kept - 1)];
        var after = before with
        {
            Step = commit.Step,
            Checkpoints = kept,
            MetricsLength = before.MetricsLength + Encoding.UTF8.GetByteCount(lines),
            UnwrittenMetrics = lines.Length > 0 ? lines : null,
            Loss = StepMetrics.LastOf(commit.Metrics)?.Loss ?? before.Loss,
        };
        if (commit.Finished) after = after with { State = MemberState.Completed };
        _state.State = Record.With(after) with { TrainSeconds = _progress.TrainSeconds };
        _progress.Committed(after);
        await _writer.WriteAsync();
        foreach (var file in before.Checkpoints) DropUnnamed(file);
    }
}
