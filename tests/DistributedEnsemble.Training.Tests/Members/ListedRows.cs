using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Randomness;

namespace DistributedEnsemble.Training.Tests.Members;

internal static class ListedRows
{
    /// <summary>The rows that a member trains on.</summary>
    public static int[] Rows(this MemberPlan plan) => plan.Run.Rows.Of(plan.Member);

    /// <summary>Batches of the rows that a list names.</summary>
    public static Batches Batches(Samples samples, int[] rows, int batchSize, RandomSource random, int member, Samples? further = null) =>
        new(samples, rows.Length, list => rows.CopyTo(list), batchSize, random, member, further);
}
