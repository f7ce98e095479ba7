using Orleans;

namespace DistributedEnsemble.Client.Clusters;

/// <summary>A running cluster, as far as the driver needs one. Disposing it ends what was started for it.</summary>
internal interface ICluster : IAsyncDisposable
{
    IGrainFactory Grains { get; }
}

/// <summary>What an embedded silo is started with.</summary>
/// <param name="RunsFolder">The folder of all runs.</param>
/// <param name="DataFolder">Where datasets are looked for first; null is only the usual places.</param>
/// <param name="Lanes">Members trained at once; null is one per core.</param>
internal sealed record EmbeddedOptions(string RunsFolder, string? DataFolder, int? Lanes);
