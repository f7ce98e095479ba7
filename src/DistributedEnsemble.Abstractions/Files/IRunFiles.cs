using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Files;

/// <summary>
/// Hands out the models of a run to clients that do not share its folder. They are named by run (the key is its
/// <see cref="RunKey"/>) and constituent, never by path, and come in chunks that fit into a message.
/// </summary>
[Alias("ensemble.run-files")]
public interface IRunFiles : IGrainWithStringKey
{
    /// <summary>A part of a model's file.</summary>
    /// <param name="model">A constituent, by what the run's status says of it.</param>
    /// <exception cref="RunRejectedException">The run has no such model.</exception>
    /// <exception cref="OperationCanceledException">The caller gave it up.</exception>
    [Alias("read")]
    Task<FileChunk> ReadAsync(ModelName model, long offset, CancellationToken cancellationToken = default);
}

/// <summary>A model of a run.</summary>
/// <param name="IsEma">Whether the EMA model is meant, or the snapshot.</param>
[GenerateSerializer, Immutable, Alias("ensemble.model-name")]
public sealed record ModelName([property: Id(0)] int Member, [property: Id(1)] int Step, [property: Id(2)] bool IsEma);

/// <summary>A part of a file.</summary>
/// <param name="Length">Of the whole file.</param>
/// <param name="Sha256">Over <paramref name="Bytes"/>, lower-case hexadecimal.</param>
[GenerateSerializer, Immutable, Alias("ensemble.file-chunk")]
public sealed record FileChunk([property: Id(0)] byte[] Bytes, [property: Id(1)] long Length, [property: Id(2)] string Sha256);
