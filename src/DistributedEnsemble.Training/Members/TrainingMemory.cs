using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Optimizers;

namespace DistributedEnsemble.Training.Members;

/// <summary>What training takes of memory at least, found before anything is allocated.</summary>
internal static class TrainingMemory
{
    /// <summary>Bytes of a member on its lane: weights, their gradient and a copy to hand over; optimizer state; the working memory of a pass.</summary>
    public static long BytesOf(MemberPlan plan)
    {
        var layout = plan.Network.Layout;
        // The best weights of a member that may stop early come beside its own.
        var vectors = (plan.Stopping is null ? 3 : 4) + Optimizer.StateNames(plan.Spec.Training.Optimizer.Kind).Count;
        var bytes = (Int128)layout.ParameterCount * vectors * sizeof(float) + plan.Network.WorkingBytes(plan.RowsOfStep, isTrained: true, plan.Spec.ThreadsPerMember);
        return (long)Int128.Min(bytes, long.MaxValue);
    }

    /// <summary>What this process can still get, in bytes.</summary>
    public static long Available()
    {
        var limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        const string Key = "MemAvailable:";
        var line = File.Exists("/proc/meminfo")
            ? File.ReadLines("/proc/meminfo").FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal))
            : null;
        return line is not null && long.TryParse(line[Key.Length..].Replace("kB", "", StringComparison.Ordinal), out var kibibytes)
            ? Math.Min(limit, kibibytes * 1024)
            : limit;
    }

    /// <param name="lanes">Members that may train at once.</param>
    /// <param name="available">In bytes.</param>
    /// <exception cref="SpecException">They do not fit.</exception>
    public static void Check(TrainingPlan plan, int lanes, long available)
    {
        var atOnce = Math.Max(1, Math.Min(lanes / plan.Spec.ThreadsPerMember, plan.Spec.Members));
        // Members of one variant take the same, but for a few rows.
        var bytes = plan.Networks.Variants.ToDictionary(member => member, member => BytesOf(plan.Of(member)));
        var largest = plan.Of(bytes.MaxBy(member => member.Value).Key);
        var (each, all) = (bytes[largest.Member], plan.Members.Select(member => (Int128)bytes[member.Member % bytes.Count]).OrderDescending().Take(atOnce).Aggregate((sum, next) => sum + next));
        if (all <= available) return;
        var wayOut = atOnce > 1 && each <= available ? "Take fewer lanes, a smaller model or smaller batches." : "Take a smaller model or smaller batches.";
        throw new SpecException(
            $"model: training takes at least {InWords(each)} for {(bytes.Count == 1 ? "each" : "the largest")} of {atOnce} members at once "
            + $"({largest.Network.Layout.ParameterCount:N0} weights, batches of {largest.Spec.Training.BatchSize:N0}), and {InWords(available)} are free. {wayOut}");
    }

    /// <summary>Makes sure that data has room before it is read: the members' own memory is checked when it is there.</summary>
    /// <param name="width">Numbers of a row.</param>
    /// <param name="available">In bytes.</param>
    /// <param name="noFile">Why they cannot lie in a file, if that was tried.</param>
    /// <exception cref="DataException">It has none.</exception>
    public static void CheckData(long rows, int width, long available, string? noFile = null)
    {
        var bytes = BytesOfData(rows, width);
        if (bytes <= available) return;
        var noMemory = $"{rows:N0} rows of {width:N0} numbers take {InWords(bytes)} of memory, and {InWords(available)} are free";
        throw new DataException($"{noMemory}{(noFile is null ? "" : $"; nor can they lie in a file: {noFile}")}. Take a part of the rows, or fewer columns.");
    }

    /// <summary>The same for the targets of rows whose inputs lie in a file.</summary>
    /// <exception cref="DataException">There is no room.</exception>
    public static void CheckTargets(long rows, long available)
    {
        var bytes = BytesOfData(rows, 0);
        if (bytes > available) throw new DataException($"The targets of {rows:N0} rows take {InWords(bytes)} of memory, and {InWords(available)} are free. Take a part of the rows.");
    }

    /// <summary>Bytes of the inputs of some rows.</summary>
    public static long BytesOfInputs(long rows, int width) => (long)Int128.Min((Int128)rows * width * sizeof(float), long.MaxValue);

    /// <summary>Bytes of inputs and targets.</summary>
    public static long BytesOfData(long rows, int width) => (long)Int128.Min((Int128)rows * ((Int128)width + 1) * sizeof(float), long.MaxValue);

    public static string InWords(long bytes) => bytes >= 1L << 30 ? $"{bytes / (double)(1L << 30):N1} GiB" : $"{bytes / (double)(1 << 20):N1} MiB";
}
