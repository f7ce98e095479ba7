namespace DistributedEnsemble.Reports.Experiments;

/// <summary>What is claimed of a technique, and the model that it must improve.</summary>
/// <param name="Claim">A sentence.</param>
/// <param name="Baseline">The name of a subject.</param>
/// <param name="Treatment">The name of a subject.</param>
/// <param name="Budget">What the two have in common, or how they differ in cost.</param>
/// <param name="ErrorReduction">The improvement that is claimed, as a share of rows; null claims only that there is one.</param>
public sealed record Comparison(string Claim, string Baseline, string Treatment, string Budget, double? ErrorReduction = null);

/// <summary>What an experiment says of a claim.</summary>
public enum Verdict
{
    /// <summary>The interval of the improvement lies above zero, and reaches what was claimed.</summary>
    Held,

    /// <summary>There is a clear improvement, but less than was claimed.</summary>
    Less,

    /// <summary>The interval contains zero: this data does not say.</summary>
    Unclear,

    /// <summary>The treatment is clearly worse.</summary>
    Failed,
}

/// <summary>A comparison over seeds: the differences treatment − baseline, each within its seed.</summary>
public sealed record Finding(Comparison Comparison, Estimate Error, Estimate Nll, Estimate CalibratedNll)
{
    /// <summary>How near an improvement must come to the claimed one, as a share of it.</summary>
    private const double Near = 0.75;

    /// <summary>By the error; the claim is about it.</summary>
    public Verdict Verdict =>
        Error.Mean > Error.Margin ? Verdict.Failed
        : Error.Mean >= -Error.Margin ? Verdict.Unclear
        : Comparison.ErrorReduction is { } claimed && -Error.Mean < Near * claimed ? Verdict.Less
        : Verdict.Held;
}
