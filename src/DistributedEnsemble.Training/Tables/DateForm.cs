using System.Globalization;

namespace DistributedEnsemble.Training.Tables;

/// <summary>A way in which dates or times are written.</summary>
internal sealed class DateForm
{
    private const DateTimeStyles Styles = DateTimeStyles.NoCurrentDateDefault | DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal;
    private const int Longest = 40;
    private static readonly string[] s_times = ["", " H:mm", " H:mm:ss", " H:mm:ss.FFFFFFF", " h:mm tt", " h:mm:ss tt"];

    private readonly string[] _formats;

    private DateForm(string name, params string[] formats) => (Name, _formats) = (name, formats);

    /// <summary>Times alone: of the first day there is.</summary>
    public static DateForm OfDay { get; } = new("hour:minute", "H:mm", "H:mm:ss", "H:mm:ss.FFFFFFF", "h:mm tt", "h:mm:ss tt");

    public static IReadOnlyList<DateForm> All { get; } =
    [
        new("year-month-day", [.. WithTimes("yyyy-M-d", "yyyy/M/d", "yyyy.M.d"), .. s_times[1..4].SelectMany(IsoTimes), "yyyy-MM"]),
        new("day.month.year", WithTimes("d.M.yyyy", "d.M.yy")),
        new("day/month/year", WithTimes("d/M/yyyy", "d-M-yyyy")),
        new("month/day/year", WithTimes("M/d/yyyy", "M-d-yyyy")),
        new("day month year", WithTimes("d-MMM-yyyy", "d MMM yyyy", "d MMMM yyyy", "d-MMM-yy")),
        new("month day, year", WithTimes("MMM d, yyyy", "MMMM d, yyyy", "MMM d yyyy", "MMMM d yyyy", "MMM-d-yyyy")),
        new("month year", "MMM yyyy", "MMMM yyyy", "MMM-yyyy", "MMM-yy"),
        OfDay,
    ];

    /// <summary>In data.json.</summary>
    public string Name { get; }

    public bool TryParse(ReadOnlySpan<char> text, out DateTime time)
    {
        if (text.Length is >= 4 and <= Longest && (char.IsAsciiDigit(text[0]) || char.IsAsciiLetter(text[0])))
            return DateTime.TryParseExact(text, _formats, CultureInfo.InvariantCulture, Styles, out time);
        time = default;
        return false;
    }

    /// <summary>Seconds since 1970.</summary>
    public static double Seconds(DateTime time) => (time - DateTime.UnixEpoch).TotalSeconds;

    private static string[] WithTimes(params string[] days) => [.. days.SelectMany(day => s_times.Select(time => day + time))];

    private static IEnumerable<string> IsoTimes(string time) =>
        from day in (IEnumerable<string>)["yyyy-MM-dd'T'", "yyyyMMdd'T'", "yyyy-MM-dd "]
        from zone in (IEnumerable<string>)["", "K", "zzz", "' UTC'"]
        select $"{day}{time.Trim()}{zone}";
}
