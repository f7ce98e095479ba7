using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Averaging;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>How much each hand-over of a member counts in its EMA model.</summary>
/// <param name="of">Of a member.</param>
internal sealed class RunAveraging(Func<int, AveragingSchedule> of)
{
    /// <returns>Null if the run averages nothing.</returns>
    public static RunAveraging? Of(RunRecord record) => Of(EnsembleSpec.FromJson(record.Spec), member => record.Loads[member]);

    /// <inheritdoc cref="Of(RunRecord)"/>
    public static RunAveraging? Of(EnsembleSpec spec, Func<int, MemberLoad> loadOf)
    {
        if (spec.Averaging is null) return null;
        var variants = Enumerable.Range(0, Math.Max(1, spec.Variants.Count)).Select(spec.OfMember).ToArray();
        return new RunAveraging(member => AveragingSchedule.Of(variants[member % variants.Length], loadOf(member).Steps)!);
    }

    public double ShareAt(int member, int step) => of(member).ShareAt(step);
}
