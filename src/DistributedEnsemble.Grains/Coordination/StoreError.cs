using System.Diagnostics.CodeAnalysis;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>Why something was not stored, as a <see cref="RunMachine"/> hears it: which kind of error that is says the shell.</summary>
/// <param name="Reason">For people, if nothing can be stored as things are; null if it may be tried again, or another has written.</param>
/// <param name="IsUnforeseen">Whether no store says so: a defect of the product.</param>
internal sealed record StoreError(Exception Exception, string? Reason, bool IsUnforeseen = false)
{
    [return: NotNullIfNotNull(nameof(exception))]
    public static implicit operator StoreError?(Exception? exception) =>
        exception is null ? null : new StoreError(exception, StoreFailure.In(exception), StoreFailure.IsUnforeseen(exception));
}
