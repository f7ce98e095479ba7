namespace DistributedEnsemble.Training.Tasks;

/// <summary>How good a network's outputs for one batch are.</summary>
/// <param name="Measure">What is measured, as the metric lines call it.</param>
public readonly record struct StepQuality(string Measure, double Value);
