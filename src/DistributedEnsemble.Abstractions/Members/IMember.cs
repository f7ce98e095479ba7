using System.Collections.Immutable;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using Orleans.Concurrency;

namespace DistributedEnsemble.Members;

/// <summary>
/// One model of an ensemble: it trains by itself on a lane of its silo and answers with its own
/// constituents. The key is RUN/INDEX.
/// </summary>
[Alias("ensemble.member")]
public interface IMember : IGrainWithStringKey
{
    /// <summary>Puts the training on lanes of this silo and returns.</summary>
    /// <returns>False if not enough are free.</returns>
    /// <exception cref="MemberElsewhereException">The grain lives on another silo than the lanes; it leaves, and the next call finds it there.</exception>
    [Alias("train"), SilosOnly]
    Task<bool> TrainAsync(Assignment assignment);

    /// <summary>Lets the lane take a checkpoint and stop.</summary>
    [Alias("stop"), AlwaysInterleave, SilosOnly]
    Task StopAsync(int attempt);

    /// <summary>The answers of each constituent alone.</summary>
    [Alias("predict"), AlwaysInterleave, SilosOnly, ResponseTimeout(LongCalls.Limit)]
    Task<ConstituentAnswers> PredictAsync(ConstituentQuery query, CancellationToken cancellationToken = default);
}

/// <summary>A member's order to train. What the run is made of, the member asks of its coordinator: the record alone says it.</summary>
/// <param name="Checkpoints">The checkpoints that the record names, newest first.</param>
[GenerateSerializer, Immutable, Alias("ensemble.assignment")]
public sealed record Assignment(
    [property: Id(0)] MemberAttempt Attempt, [property: Id(2)] ImmutableArray<WeightFile> Checkpoints)
{
    /// <summary>The silo whose lanes are meant, as Orleans parses it; null is wherever the grain is.</summary>
    [Id(3)] public string? Silo { get; init; }
}

/// <summary>A member's grain is not where its lanes are.</summary>
[GenerateSerializer, Alias("ensemble.member-elsewhere")]
public sealed class MemberElsewhereException(string message) : Exception(message);

/// <summary>The key of a member's grain: the run's key and the member's index.</summary>
public static class MemberKey
{
    public static string Of(RunKey run, int member) => $"{run}/{member}";

    public static (RunKey Run, int Member) Parse(string key)
    {
        var slash = key.LastIndexOf('/');
        return (RunKey.Parse(key[..slash]), int.Parse(key[(slash + 1)..]));
    }
}
