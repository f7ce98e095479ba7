using DistributedEnsemble.Files;
using DistributedEnsemble.Training.Safetensors;
using Orleans.Storage;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>What keeps results from being stored: a full disk, a folder that is read-only, a damaged file.</summary>
internal static class StoreFailure
{
    /// <returns>The reason, for people; null if the exception is of another kind.</returns>
    public static string? In(Exception? exception) => exception switch
    {
        null or InconsistentStateException => null,
        IOException or UnauthorizedAccessException or SafetensorsException or InvalidDataException => exception.Message,
        // Orleans wraps what a storage provider throws.
        _ => In(exception.InnerException),
    };

    /// <summary>Whether it is neither a failure of the store nor one that passes.</summary>
    public static bool IsUnforeseen(Exception exception) =>
        In(exception) is null && exception is not (OrleansException or TimeoutException or StorageAwayException or OperationCanceledException or CoordinatorGoneException);
}
