namespace DistributedEnsemble.Scheduling;

/// <summary>How fast the members of a run train together.</summary>
/// <param name="Epochs">What the spec plans.</param>
/// <param name="SecondsPerEpoch">Until every member has done one more epoch.</param>
/// <param name="StepsPerSecond">Of all lanes together.</param>
/// <param name="Lanes">Members trained at once.</param>
[GenerateSerializer, Immutable, Alias("ensemble.training-pace")]
public sealed record TrainingPace(
    [property: Id(0)] int Epochs, [property: Id(1)] double SecondsPerEpoch, [property: Id(2)] double StepsPerSecond, [property: Id(3)] int Lanes);
