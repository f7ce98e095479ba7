using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Torch;

/// <summary>
/// torch's one generator of the process. Passes of modules may draw of it, and say so: while one looks whether a pass draws, the others wait.
/// </summary>
internal static class TorchGenerator
{
    private static readonly ReaderWriterLockSlim s_use = new(LockRecursionPolicy.SupportsRecursion);

    /// <summary>A pass that may draw.</summary>
    public static T Use<T>(Func<T> pass)
    {
        s_use.EnterReadLock();
        try
        {
            return pass();
        }
        finally
        {
            s_use.ExitReadLock();
        }
    }

    /// <returns>Whether a pass draws.</returns>
    public static bool IsMovedBy(Action pass)
    {
        s_use.EnterWriteLock();
        try
        {
            var before = State();
            pass();
            return !State().SequenceEqual(before);
        }
        finally
        {
            s_use.ExitWriteLock();
        }
    }

    private static byte[] State()
    {
        using var state = get_rng_state();
        return state.bytes.ToArray();
    }
}
