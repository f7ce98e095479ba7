namespace DistributedEnsemble.Client.Rendering;

/// <summary>Numbers and states as people read them.</summary>
internal static class Words
{
    public const string Unknown = "–";

    public static string Of(Enum state) => state.ToString().ToLowerInvariant();

    public static string Count(long number) => number.ToString("N0");

    public static string Plural(long number, string noun) => $"{Count(number)} {DistributedEnsemble.Messages.Plural.Of(number, noun)}";

    public static string Rate(double? perSecond) =>
        perSecond is > 0 and var rate && double.IsFinite(rate) ? rate.ToString(rate < 10 ? "0.0" : "N0") : Unknown;

    public static string Loss(double? loss) => loss?.ToString("0.0000") ?? Unknown;

    /// <summary>A share in per cent, rounded down: only what is done is 100 %.</summary>
    public static string Percent(double done, double total) => total > 0 ? $"{Math.Floor(100 * done / total)} %" : "0 %";

    public static string Duration(TimeSpan? duration) => duration switch
    {
        null => Unknown,
        { TotalDays: >= 1 } d => $"{(int)d.TotalDays}d {d.Hours:00}h",
        { TotalHours: >= 1 } d => $"{d.Hours}:{d.Minutes:00}:{d.Seconds:00}",
        { } d => $"{d.Minutes}:{d.Seconds:00}",
    };
}
