namespace DistributedEnsemble.Training.Kernels;

/// <summary>Names the bits of kernels of our own: whatever changes one of them, in any network, counts it up.</summary>
internal static class KernelVersion
{
    public const int Current = 1;
}
