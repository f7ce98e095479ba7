using System.Globalization;

namespace DistributedEnsemble.Reports;

/// <summary>Measures as people read them. A measure that is not known here is shown under its own name, as a number.</summary>
public static class MeasureWords
{
    private static readonly Dictionary<string, (string Heading, bool IsShare, string Meaning)> s_known = new()
    {
        ["accuracy"] = ("accuracy", true, "rows whose most probable class is right"),
        ["nll"] = ("NLL", false, "mean negative logarithm of the truth's likelihood"),
        ["brier"] = ("Brier score", false, "squared distance from the truth"),
        ["ece"] = ("ECE", false, "gap between confidence and accuracy"),
        ["balancedAccuracy"] = ("balanced accuracy", true, "mean recall of the classes"),
        ["f1"] = ("F1", false, "mean over the classes"),
        ["auc"] = ("ROC AUC", false, "pairs of rows that the probabilities order right"),
        ["rmse"] = ("RMSE", false, "root of the mean squared error, in the target's units"),
        ["mae"] = ("MAE", false, "mean absolute error"),
        ["r2"] = ("R²", false, "share of the variance that is explained"),
        ["crps"] = ("CRPS", false, "distance between predicted distribution and truth"),
        ["coverage.0.5"] = ("within 50 %", true, "rows within the intervals that shall hold 50 %"),
        ["coverage.0.9"] = ("within 90 %", true, "rows within the intervals that shall hold 90 %"),
        ["coverage.0.95"] = ("within 95 %", true, "rows within the intervals that shall hold 95 %"),
        ["temperature"] = ("temperature", false, "fitted on rows that its models were not trained on"),
        ["scale"] = ("factor on σ", false, "fitted on rows that its models were not trained on"),
        ["noiseVariance"] = ("noise variance", false, "of the standardised target, from rows that its models were not trained on"),
        ["entropy"] = ("entropy", false, "nats: all uncertainty"),
        ["expectedEntropy"] = ("expected entropy", false, "nats: what more models could not remove"),
        ["mutualInformation"] = ("mutual information", false, "nats: the part on which the models disagree"),
        ["standardDeviation"] = ("standard deviation", false, "all uncertainty, in the target's units"),
        ["aleatoric"] = ("aleatoric", false, "what each model leaves open"),
        ["epistemic"] = ("epistemic", false, "the part on which the models disagree"),
        ["disagreement"] = ("disagreement", true, "rows for which two models name different classes"),
        ["difference"] = ("difference", false, "of two models' means, in the target's units"),
        ["errorCorrelation"] = ("error correlation", false, "of two models over the rows"),
    };

    public static string Heading(string measure) => s_known.TryGetValue(measure, out var known) ? known.Heading : measure;

    /// <summary>Empty where nothing is known of it.</summary>
    public static string Meaning(string measure) => s_known.TryGetValue(measure, out var known) ? known.Meaning : "";

    public static string Value(string measure, double? value) => value is not { } number ? "–" : IsShare(measure)
        ? string.Create(CultureInfo.InvariantCulture, $"{100 * number:0.00} %")
        : number.ToString(Format(number), CultureInfo.InvariantCulture);

    /// <summary>A difference of two values, with its sign; of shares in points.</summary>
    public static string Difference(string measure, double? value, double? other)
    {
        if (value - other is not { } difference) return "–";
        var format = IsShare(measure) ? "0.00" : Format(value!.Value);
        return (IsShare(measure) ? 100 * difference : difference).ToString($"+{format};-{format};{format}", CultureInfo.InvariantCulture);
    }

    private static bool IsShare(string measure) => s_known.TryGetValue(measure, out var known) && known.IsShare;

    private static string Format(double number) => Math.Abs(number) switch
    {
        >= 10_000 => "0",
        >= 100 => "0.00",
        > 0 and < 0.001 => "0.0000000",
        _ => "0.0000",
    };
}
