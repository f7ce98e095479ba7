using System.Diagnostics;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Members;

/// <summary>
/// Measures how fast members train here: real steps on as many threads as there are lanes, of which nothing is kept. What follows
/// from it is a number of epochs, before anything is trained; no weight depends on the time.
/// </summary>
internal static class PaceMeasurement
{
    /// <summary>The first steps are of code that is still being compiled.</summary>
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(1.5), s_measured = TimeSpan.FromSeconds(1.5);

    /// <exception cref="SpecException">Variants have epochs of their own.</exception>
    /// <exception cref="DivergedException">A member diverges within its first steps.</exception>
    /// <exception cref="OperationCanceledException">Nobody waits for it any more.</exception>
    public static TrainingPace Of(TrainingPlan plan, int lanes, CancellationToken cancellation = default)
    {
        if (plan.Members.FirstOrDefault(member => member.Spec.Training.Epochs != plan.Spec.Training.Epochs) is { } other)
        {
            throw new SpecException($"--time-limit chooses one number of epochs for all members, and member {other.Member} has {other.Spec.Training.Epochs} by its variant, "
                + "which is said to be and not to be cut: leave the epochs out of the variants and the search, or the time out of the command.");
        }

        var together = Math.Clamp(lanes / plan.Spec.ThreadsPerMember, 1, plan.Members.Count);
        var measured = new Measured[together];
        var threads = Enumerable.Range(0, together).Select(member => Measure(plan, member, pace => measured[member] = pace, cancellation)).ToArray();
        Task.WhenAll(threads).GetAwaiter().GetResult();

        var secondsPerCost = measured.Sum(pace => pace.Seconds) / measured.Select((pace, member) => pace.Steps * plan.Of(member).Load.StepCost).Sum();
        var evaluation = measured.Average(pace => pace.EvaluationSeconds);
        var epochs = plan.Members.Select(member => member.StepsPerEpoch
            * (secondsPerCost * member.Load.StepCost + (member.Stopping is { } stopping ? evaluation / stopping.EverySteps : 0)));
        return new TrainingPace(plan.Spec.Training.Epochs, Longest(epochs, together), measured.Sum(pace => pace.Steps / pace.Seconds), together);
    }

    /// <summary>The time of the lane that is last to end, when each next longest goes to the lane that is free first.</summary>
    private static double Longest(IEnumerable<double> members, int lanes)
    {
        var ends = new double[lanes];
        foreach (var seconds in members.OrderDescending()) ends[Array.IndexOf(ends, ends.Min())] += seconds;
        return ends.Max();
    }

    private static Task Measure(TrainingPlan plan, int member, Action<Measured> tell, CancellationToken cancellation)
    {
        var done = new TaskCompletionSource();
        new Thread(() =>
        {
            try
            {
                tell(Measure(plan, member, cancellation));
                done.SetResult();
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        }) { IsBackground = true, Name = $"pace {member}" }.Start();
        return done.Task;
    }

    private static Measured Measure(TrainingPlan plan, int member, CancellationToken cancellation)
    {
        var own = plan.Of(member);
        var training = new MemberTraining(plan, member);
        try
        {
            for (var since = Stopwatch.StartNew(); since.Elapsed < s_warmUp || training.Step == 0;) Advance(ref training);
            var evaluation = TimeSpan.Zero;
            if (own.Stopping is not null)
            {
                using var weights = training.CopyWeights();
                using var team = Team.Of(own.Spec.ThreadsPerMember);
                using var stopping = new EarlyStopping(own, weights, null, null, team);
                var since = Stopwatch.StartNew();
                stopping.Evaluate(1);
                evaluation = since.Elapsed;
            }

            var (watch, steps) = (Stopwatch.StartNew(), 0);
            for (; watch.Elapsed < s_measured || steps == 0; steps++) Advance(ref training);
            return new Measured(steps, watch.Elapsed.TotalSeconds, evaluation.TotalSeconds);
        }
        finally
        {
            training.Dispose();
        }

        void Advance(ref MemberTraining current)
        {
            cancellation.ThrowIfCancellationRequested();
            if (current.HasEnded)
            {
                current.Dispose();
                current = new MemberTraining(plan, member);
            }

            current.Advance();
        }
    }

    private readonly record struct Measured(int Steps, double Seconds, double EvaluationSeconds);
}
