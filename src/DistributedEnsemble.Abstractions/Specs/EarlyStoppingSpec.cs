namespace DistributedEnsemble.Specs;

/// <summary>What a member is measured by on the validation rows.</summary>
public enum StoppingMeasure { Nll }

/// <summary>
/// A member is evaluated on the validation rows after steps n, 2n, … and T, and ends after some evaluations in a row that were no
/// better than its best one, whose weights are its final model.
/// </summary>
public sealed record EarlyStoppingSpec
{
    [Key("Evaluations without a better one after which a member stops; its final model is its best.", Range = "[1, 1000000]")]
    public int Patience { get; init; } = 10;

    [Key("Steps between two evaluations on the validation rows; the last step is evaluated, too.", Range = "[1, 1000000000]",
        Absent = "the steps of an epoch")]
    public int? EverySteps { get; init; }

    [Key("What is to be low: the negative log-likelihood of the validation rows.")]
    public StoppingMeasure On { get; init; } = StoppingMeasure.Nll;
}
