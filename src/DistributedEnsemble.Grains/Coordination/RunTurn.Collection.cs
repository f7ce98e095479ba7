using System.Collections.Immutable;
using System.Text;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Grains.Coordination;

/// <content>Takes what members have trained: hand-overs, checkpoints, metric lines.</content>
internal sealed partial class RunTurn
{
    /// <summary>Checkpoints of a member that are kept.</summary>
    private const int CheckpointsKept = 2;

    private void OnCollect(CollectCalled collect)
    {
        var (by, weights) = (collect.HandOver.By, collect.HandOver.Weights);
        if (!IsCurrent(by))
        {
            Answer(collect.Call, Acknowledgement.Superseded);
            return;
        }

        var known = Known(weights);
        if (known is not null && known.Sha256 != weights.Sha256)
        {
            // Its lanes hear that they are superseded with their next answers.
            Record = Record.WithoutLanes();
            End(
                RunState.Failed,
                $"not reproducible: member {weights.Member} came to step {weights.Step} twice, with weights {known.Sha256} and {weights.Sha256}",
                new Reply(collect.Call, Acknowledgement.Superseded));
            return;
        }

        // What was averaged on the way may turn out the best: then it is kept besides.
        var member = Record.Members[weights.Member];
        if (collect.HandOver.IsSnapshot && !HasSnapshot(weights)) member = member with { Snapshots = member.Snapshots.Add(weights) };
        if (collect.HandOver.IsAveraged && known is null) member = member with { Pending = weights };
        if (!ReferenceEquals(member, Record.Members[weights.Member])) Record = Record.With(member);

        After(Change(), new IsCollected(collect.Call, collect.HandOver));
    }

    private void Collected(IsCollected collected)
    {
        var (by, weights) = (collected.HandOver.By, collected.HandOver.Weights);
        if (collected.HandOver.IsAveraged)
        {
            _state = _state with { FoldWaits = _state.FoldWaits.Add(new FoldWait(collected.Call, by, weights)) };
            FoldNext();
        }
        else
        {
            Acknowledge(collected.Call, by);
        }
    }

    /// <summary>
    /// Folds the next hand-over that is named and waited for into its member's EMA model: the new model's file is written, the
    /// record names it, and then what it took the place of goes. A crash in between leaves the hand-over pending, and the
    /// member brings it again until it is answered.
    /// </summary>
    private void FoldNext()
    {
        for (var i = 0; i < _state.FoldWaits.Length && _state.Folding is null;)
        {
            var wait = _state.FoldWaits[i];
            if (!_state.IsHeld || IsDone(wait.Weights))
            {
                _state = _state with { FoldWaits = _state.FoldWaits.RemoveAt(i) };
                Folded(wait);
            }
            else if (Record.Members[wait.Weights.Member].Pending is { } pending && pending.Step == wait.Weights.Step)
            {
                _state = _state with { Folding = pending };
                Do(new Fold(Record.Members[pending.Member].Ema, pending, _state.Averaging!.ShareAt(pending.Member, pending.Step)));
            }
            else
            {
                // Folded, and not yet written.
                i++;
            }
        }
    }

    /// <summary>Whether the store has it that the hand-over is folded.</summary>
    private bool IsDone(WeightFile weights) =>
        Record.Members[weights.Member].Pending?.Step != weights.Step && !_state.Awaiting.Any(waiting => waiting.Then is IsFolded folded
            && folded.HandOver.Member == weights.Member && folded.HandOver.Step == weights.Step);

    private void Folded(FoldWait wait)
    {
        if (_state.IsHeld) DropUnnamed(wait.Weights);
        Acknowledge(wait.Call, wait.By);
    }

    private void OnFolded(Folded folded)
    {
        // A run that was given free meanwhile has forgotten it.
        if (_state.Folding != folded.HandOver) return;
        _state = _state with { Folding = null };
        var pending = folded.HandOver;
        var before = Record.Members[pending.Member];
        if (folded.Error is { } error)
        {
            var missed = Missed(pending.Member, error);
            var failed = _state.FoldWaits.Where(wait => wait.Weights.Member == pending.Member && wait.Weights.Step == pending.Step).ToImmutableArray();
            _state = _state with { FoldWaits = _state.FoldWaits.RemoveRange(failed) };
            foreach (var wait in failed) Refuse(wait.Call, missed);
        }
        else if (before.Pending == pending)
        {
            var after = IsSnapshot(pending) ? before : before.WithFolded(pending);
            Record = Record.With(after with { Ema = folded.Model, Pending = null });
            Watch(pending.Member, Watch(pending.Member) with { Misses = 0 });
            After(Change(), new IsFolded(pending, before.Ema));
        }

        FoldNext();
    }

    private void FoldedDurably(IsFolded folded)
    {
        if (folded.OldModel is { } old) DropUnnamed(old);
        DropUnnamed(folded.HandOver);
        FoldNext();
    }

    private bool IsSnapshot(WeightFile weights)
    {
        foreach (var snapshot in Record.Members[weights.Member].Snapshots)
        {
            if (snapshot.File == weights.File) return true;
        }

        return false;
    }

    private bool HasSnapshot(WeightFile weights)
    {
        foreach (var snapshot in Record.Members[weights.Member].Snapshots)
        {
            if (snapshot.Step == weights.Step) return true;
        }

        return false;
    }

    /// <summary>What the record has of that member and step.</summary>
    private WeightFile? Known(WeightFile weights)
    {
        var member = Record.Members[weights.Member];
        if (Is(member.Pending)) return member.Pending;
        foreach (var snapshot in member.Snapshots)
        {
            if (Is(snapshot)) return snapshot;
        }

        foreach (var folded in member.Folded)
        {
            if (Is(folded)) return folded;
        }

        return null;

        bool Is(WeightFile? file) => file is not null && file.Member == weights.Member && file.Step == weights.Step;
    }

    private void Acknowledge(long call, MemberAttempt by) => Answer(call, IsCurrent(by) ? AnswerTo(by) : Acknowledgement.Superseded);

    private void OnCommit(CommitCalled called)
    {
        var commit = called.Commit;
        if (!IsCurrent(commit.By))
        {
            Answer(called.Call, Acknowledgement.Superseded);
        }
        else if (commit.Step <= Record.Members[commit.By.Member].Step && !commit.Finished)
        {
            After(Change(), new WasCommitted(called.Call, commit.By, commit.Checkpoint));
        }
        else if (Record.Members[commit.By.Member].UnwrittenMetrics is not null)
        {
            // Its lines' place in the file is behind those that came before.
            _state = _state with { HeldCommits = _state.HeldCommits.Add(called) };
            Append(commit.By.Member);
        }
        else
        {
            Name(called.Call, commit);
        }
    }

    /// <summary>Names a checkpoint and its metric lines; the checkpoints that are no longer named go when that is durable.</summary>
    private void Name(long call, Commit commit)
    {
        var before = Record.Members[commit.By.Member];
        // A member that went on from an older checkpoint brings lines again that are named already.
        var lines = StepMetrics.LinesAfter(before.Step, commit.Metrics);
        var after = before with
        {
            Step = commit.Step,
            Checkpoints = commit.Finished ? [] : [commit.Checkpoint!, .. before.Checkpoints.Take(CheckpointsKept - 1)],
            MetricsLength = before.MetricsLength + Encoding.UTF8.GetByteCount(lines),
            UnwrittenMetrics = lines.Length > 0 ? lines : null,
            Loss = StepMetrics.LastOf(commit.Metrics)?.Loss ?? before.Loss,
            State = commit.Finished ? MemberState.Completed : before.State,
            FinalStep = commit.FinalStep,
        };
        Record = Record.With(after) with { TrainSeconds = _state.Progress.TrainSecondsAt(now) };
        if (commit.Finished) LeftLane(after.Index);
        else Progress = _state.Progress.Changed();
        var version = Change();
        Watch(after.Index, Watch(after.Index) with { LinesNamedAt = version });
        After(version, new IsCommitted(call, commit.By, before.Checkpoints));
    }

    private void Committed(IsCommitted committed)
    {
        foreach (var file in committed.Before) DropUnnamed(file);
        Append(committed.By.Member);
        EndIfDone();
        Answer(committed.Call, AnswerTo(committed.By));
    }

    /// <summary>It came again; or the lane left before its first step, where an earlier attempt's checkpoint says the same.</summary>
    private void CommittedBefore(WasCommitted known)
    {
        if (known.Checkpoint is { } file && _state.IsHeld) DropUnnamed(file);
        Acknowledge(known.Call, known.By);
    }

    /// <summary>
    /// Puts committed lines into the file, at the place that the record gives them: whoever does so, and however often, the
    /// file's bytes are the same. Only lines that the store's record has are written.
    /// </summary>
    private void Append(int index)
    {
        var (member, watch) = (Record.Members[index], Watch(index));
        if (member.UnwrittenMetrics is not { } lines || watch.IsAppending || watch.LinesNamedAt > _state.Durable) return;
        Watch(index, watch with { IsAppending = true });
        Do(new AppendMetrics(index, member.MetricsLength, lines));
    }

    private void OnAppended(MetricsAppended appended)
    {
        var index = appended.Member;
        Watch(index, Watch(index) with { IsAppending = false });
        // What fails is tried again, at the latest when the run is resumed: the lines are in the record.
        var missed = appended.Error is { } error ? Missed(index, error) : null;
        if (missed is null) Watch(index, Watch(index) with { Misses = 0 });
        var member = Record.Members[index];
        // Durable now; the record says so when it is next written.
        if (appended.Error is null && member.UnwrittenMetrics == appended.Lines) Record = Record.With(member with { UnwrittenMetrics = null });
        var held = _state.HeldCommits.Where(commit => commit.Commit.By.Member == index).ToImmutableArray();
        _state = _state with { HeldCommits = _state.HeldCommits.RemoveAll(commit => commit.Commit.By.Member == index) };
        foreach (var commit in held)
        {
            if (missed is not null) Refuse(commit.Call, missed);
            else OnCommit(commit);
        }

        EndIfDone();
    }
}
