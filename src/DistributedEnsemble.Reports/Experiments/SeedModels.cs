using System.Collections.Concurrent;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>All that one seed trained: the members of every arm.</summary>
public sealed class SeedModels
{
    private readonly Dictionary<string, TrainedMember[]> _members;
    private readonly Dictionary<string, TrainingPlan> _plans;

    private SeedModels(ulong seed, Dictionary<string, TrainingPlan> plans, Dictionary<string, TrainedMember[]> members) =>
        (Seed, _plans, _members) = (seed, plans, members);

    public ulong Seed { get; }

    /// <summary>The members of an arm.</summary>
    public IReadOnlyList<TrainedMember> this[string arm] => _members[arm];

    public TrainingPlan Plan(string arm) => _plans[arm];

    /// <summary>The splits, which all arms of a seed have in common.</summary>
    public TrainingPlan Splits => _plans.Values.First();

    /// <summary>Trains every member of every arm, on as many threads as the machine has cores; their number changes no result.</summary>
    /// <param name="onMember">Told of every member that is done, by the threads.</param>
    public static SeedModels Train(
        Suite suite, Dataset dataset, ulong seed, Action<Arm, int> onMember, CancellationToken cancellation)
    {
        var plans = suite.Arms.ToDictionary(arm => arm.Name, arm => arm.Plan(dataset, suite.Source, seed));
        var members = suite.Arms.ToDictionary(arm => arm.Name, arm => new TrainedMember[arm.Members]);
        // The longest first, so that the threads end together.
        var work = new ConcurrentQueue<(Arm Arm, int Member)>(
            from arm in suite.Arms
            let load = plans[arm.Name].Of(0).Load
            orderby load.Steps * load.StepCost descending
            from member in Enumerable.Range(0, arm.Members)
            select (arm, member));
        var threads = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => TorchThread.Start(() =>
        {
            while (work.TryDequeue(out var next))
            {
                members[next.Arm.Name][next.Member] = MemberRecording.Run(next.Arm, plans[next.Arm.Name], next.Member, cancellation);
                onMember(next.Arm, next.Member);
            }
        })).ToArray();
        Task.WhenAll(threads).GetAwaiter().GetResult();
        return new SeedModels(seed, plans, members);
    }
}

/// <summary>A thread of its own for tensors: libtorch's settings and scopes are per thread.</summary>
internal static class TorchThread
{
    public static Task Start(Action work)
    {
        var done = new TaskCompletionSource();
        new Thread(() =>
        {
            try
            {
                work();
                done.SetResult();
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        }) { IsBackground = true }.Start();
        return done.Task;
    }
}
