using System.Collections.Immutable;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Training.Predictions.EarlyExit;

/// <summary>What the validation rows say of asking fewer members: which first, and what rows' predictions would have become.</summary>
/// <param name="Order">The members, as they are asked.</param>
/// <param name="Rows">Validation rows.</param>
/// <param name="Points">By growing doubt at which a row is content.</param>
internal sealed record ExitCurve(ImmutableArray<int> Order, int Rows, ImmutableArray<ExitPoint> Points)
{
    /// <summary>How sure the bound is: of a hundred validation splits, 95 keep their promise.</summary>
    public const double Confidence = 0.95;

    /// <summary>The lowest probability that so many rows can promise.</summary>
    public double Lowest => 1 - Math.Pow(1 - Confidence, 1.0 / Rows);

    /// <summary>
    /// The rule under which a row's prediction is another one than that of all members with at most a probability: the doubts are
    /// tested in a fixed order, from the smallest up, each by the exact binomial bound, to the first that fails (fixed-sequence
    /// testing: Angelopoulos et al., "Learn then test", 2021).
    /// </summary>
    /// <returns>
    /// Null if no rule can promise it: these rows are too few, or one of them changes whatever the doubt. One member alone, a student's say,
    /// is asked anyway, whatever is promised.
    /// </returns>
    public ExitRule? Rule(double probability)
    {
        if (Order is [_]) return new ExitRule(Order, probability, Points[0].Doubt);
        var kept = Points.TakeWhile(point => Binomial.AtMost(point.Changed, Rows, probability) <= 1 - Confidence).ToList();
        return kept.Count == 0 ? null : new ExitRule(Order, probability, kept[^1].Doubt);
    }

    /// <inheritdoc cref="Rule"/>
    /// <exception cref="SpecException">No rule can promise it.</exception>
    public ExitRule RequiredRule(double probability) => Rule(probability) ?? throw new SpecException(
        $"early exit is {probability}: the run's {Rows} validation rows promise no probability below {Lowest:0.0#####} of another prediction. Choose a higher one, or 0 to ask all members.");
}

/// <param name="Doubt">At most so much lets a row stop.</param>
/// <param name="Changed">Validation rows whose prediction was then another one than that of all members.</param>
/// <param name="Members">That were asked, of all rows together.</param>
internal sealed record ExitPoint(double Doubt, int Changed, long Members);

/// <summary>When a row is not asked of more members.</summary>
/// <param name="Order">The members, as they are asked.</param>
/// <param name="Probability">That its prediction is another one than that of all members, at most.</param>
/// <param name="Doubt">At most so much lets it stop.</param>
internal sealed record ExitRule(ImmutableArray<int> Order, double Probability, double Doubt)
{
    public bool Equals(ExitRule? other) => other is not null && Probability == other.Probability && Doubt == other.Doubt && Order.SequenceEqual(other.Order);

    public override int GetHashCode() => HashCode.Combine(Probability, Doubt);
}
