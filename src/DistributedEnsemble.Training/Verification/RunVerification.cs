using System.Collections.Immutable;
using System.Security.Cryptography;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Distillation;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Safetensors;

namespace DistributedEnsemble.Training.Verification;

/// <summary>
/// Trains members of a run again, on the calling thread, and compares what they come to with what the run recorded: the weights of
/// member i at step t are a function of spec, data, i and t, so each sha256 must be the same, of the record and of the files.
/// </summary>
internal static class RunVerification
{
    /// <param name="load">Loads a dataset as a run knows it.</param>
    /// <param name="find">The path on this machine of the table of further rows that a student's spec names.</param>
    /// <param name="onMember">Told of each member before it is trained.</param>
    /// <exception cref="VerificationException">Something differs; the message says what and where.</exception>
    /// <exception cref="SafetensorsException">A file of weights is missing, or is not what the run recorded.</exception>
    /// <exception cref="SpecException">There is nothing to compare with, or nothing trains like that any more.</exception>
    /// <exception cref="DataException">The data is missing, or is not what the run was trained on.</exception>
    public static VerificationReport Verify(
        RunFolder folder, RunStatus status, VerificationChoice choice, Func<EnsembleSpec, DataDescription, Dataset> load, Func<string, string> find, NetworkRegistry networks,
        Action<int>? onMember = null, CancellationToken cancellation = default)
    {
        var run = RunDescription.Read(folder);
        using var plan = new LoadedPlan(TrainingPlan.Restore(
            status.Run, new RunDefinition(run.Spec.ToJson(), run.Data.ToJson()), load, networks, (spec, dataset) => SoftTargets.Of(folder, spec, dataset, networks, find)));
        _ = plan.Value.SoftTargets;
        var proven = ImmutableArray.CreateBuilder<WeightFile>();
        var emaProven = ImmutableArray.CreateBuilder<WeightFile>();
        var members = choice.Members(plan.Value);
        foreach (var member in members)
        {
            onMember?.Invoke(member);
            Verify(folder, plan.Value, member, new Recorded(status, member, choice), proven, emaProven, cancellation);
        }

        if (proven.Count + emaProven.Count == 0) throw new SpecException($"Run \"{status.Run}\" has recorded nothing of what was chosen: there is nothing to compare with.");
        return new VerificationReport(
            status.Run, [.. members], proven.DrainToImmutable(), emaProven.DrainToImmutable(), $"{plan.Value.Networks.Kernels}".ToLowerInvariant(), ThisMachine.Describe(), status.Machine);
    }

    private static void Verify(
        RunFolder folder, TrainingPlan plan, int member, Recorded recorded, ImmutableArray<WeightFile>.Builder proven, ImmutableArray<WeightFile>.Builder emaProven,
        CancellationToken cancellation)
    {
        var own = plan.Of(member);
        using var training = new MemberTraining(plan, member);
        using var average = own.Averaging is null ? null : new Weights(own.Network.Layout);
        // Which model is the final one only the end of the training says.
        while (!training.HasEnded && (recorded.Left.Any() || recorded.FinalStep is not null))
        {
            cancellation.ThrowIfCancellationRequested();
            training.Advance();
            if (training.IsAveraged) training.FoldInto(average!, own.Averaging!.ShareAt(training.Step));
            Compare(recorded.Snapshot(training.Step), "weights", training.CopyWeights, proven);
            if (average is not null) Compare(recorded.Ema(training.Step), "the EMA model", average.Copy, emaProven);
        }

        if (recorded.Left.FirstOrDefault() is { } never)
        {
            throw new VerificationException(
                $"Member {member} differs at step {never.Step}: training again ends at step {training.Step} without it, and the run recorded {never.Sha256} ({never.File}).");
        }

        if (recorded.FinalStep is { } final && final != training.FinalStep)
            throw new VerificationException($"Member {member} differs in its final model: training again gives that of step {training.FinalStep}, and the run recorded that of step {final}.");

        void Compare(WeightFile? expected, string what, Func<Weights> copy, ImmutableArray<WeightFile>.Builder into)
        {
            if (expected is null) return;
            using var weights = copy();
            var sha256 = weights.Sha256();
            if (sha256 != expected.Sha256)
            {
                throw new VerificationException(
                    $"Member {member} differs at step {expected.Step}: training again gives {what} {sha256}, and the run recorded {expected.Sha256} ({expected.File}).");
            }

            SafetensorsReader.Open(folder, expected).Dispose();
            into.Add(expected);
            recorded.Remove(expected);
        }
    }

    /// <summary>What the run says of a member, as far as it was chosen.</summary>
    private sealed class Recorded(RunStatus status, int member, VerificationChoice choice)
    {
        private readonly List<WeightFile> _snapshots = [.. status.Snapshots.Where(file => file.Member == member && choice.Includes(file.Step))];
        private readonly List<WeightFile> _ema = [.. status.Ema.Where(file => file.Member == member && choice.Includes(file.Step))];

        /// <summary>What has not been compared.</summary>
        public IEnumerable<WeightFile> Left => _snapshots.Concat(_ema);

        /// <summary>The step of the final model; null of a member that has not ended, or where some steps alone were chosen.</summary>
        public int? FinalStep => choice.Steps is null ? status.Members[member].FinalStep : null;

        public WeightFile? Snapshot(int step) => _snapshots.Find(file => file.Step == step);

        public WeightFile? Ema(int step) => _ema.Find(file => file.Step == step);

        public void Remove(WeightFile compared) => _ = _snapshots.Remove(compared) || _ema.Remove(compared);
    }

    private sealed class LoadedPlan(TrainingPlan plan) : IDisposable
    {
        public TrainingPlan Value => plan;

        public void Dispose() => plan.Dataset.Dispose();
    }
}

/// <summary>Something is not what a run recorded; the message is one line for people.</summary>
internal sealed class VerificationException(string message) : Exception(message);

/// <summary>What is trained again.</summary>
/// <param name="Member">Null for all members, or a sample.</param>
/// <param name="Steps">Null for all steps. Training begins at the first in any case: snapshots do not have the optimizer's state.</param>
/// <param name="Sample">How many members, drawn at random; null for all.</param>
internal sealed record VerificationChoice(int? Member = null, (int From, int To)? Steps = null, int? Sample = null)
{
    internal bool Includes(int step) => Steps is not var (from, to) || (step >= from && step <= to);

    /// <exception cref="SpecException">The run has no such member.</exception>
    internal IReadOnlyList<int> Members(TrainingPlan plan)
    {
        var count = plan.Spec.Members;
        if (Member is { } member) return member < count ? [member] : throw new SpecException($"There is no member {member}: the run has {count}, numbered from 0.");
        if (Sample is not { } sample || sample >= count) return [.. Enumerable.Range(0, count)];
        // Whoever trained the run could not know which.
        return [.. Shuffled(count).Take(sample).Order()];
    }

    private static int[] Shuffled(int count)
    {
        var members = Enumerable.Range(0, count).ToArray();
        RandomNumberGenerator.Shuffle(members.AsSpan());
        return members;
    }
}

/// <summary>What was proven: each of these files has the sha256 that training again gives.</summary>
/// <param name="Kernels">What computed it.</param>
/// <param name="Here">The machine that trained again.</param>
/// <param name="There">The machine that trained the run.</param>
internal sealed record VerificationReport(
    string Run, ImmutableArray<int> Members, ImmutableArray<WeightFile> Snapshots, ImmutableArray<WeightFile> Ema, string Kernels, MachineInfo Here, MachineInfo? There);
