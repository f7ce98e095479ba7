namespace DistributedEnsemble.Training.Predictions;

/// <summary>How unsure a prediction is.</summary>
internal static class Uncertainty
{
    /// <summary>−Σ p·ln p in nats: 0 if one class is certain, ln(classes) if all are equally likely.</summary>
    public static double Entropy(ReadOnlySpan<double> probabilities)
    {
        var entropy = 0.0;
        foreach (var p in probabilities) if (p > 0) entropy -= p * Math.Log(p);
        // Rounded probabilities may sum to a little over 1.
        return Math.Max(0, entropy);
    }
}
