using System.Globalization;

namespace DistributedEnsemble.Training.Tables;

/// <summary>A way in which dates or times are written.</summary>
internal sealed class DateForm
{
    private const DateTimeStyles Styles = DateTimeStyles.NoCurrentDateDefault | DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal;
    private const int Longest = 40, LongestPeriod = 8, LongestDuration = 12;

    /// <summary>Numbers of eight digits are days of these years, if all are.</summary>
    private const int FirstYear = 1900, LastYear = 2100;

    private static readonly string[] s_times = ["", " H:mm", " H:mm:ss", " H:mm:ss.FFFFFFF", " h:mm tt", " h:mm:ss tt"];

    private readonly string[] _formats = [];
    private readonly Func<string, DateTime?>? _read;

    private DateForm(string name, params string[] formats) => (Name, _formats) = (name, formats);

    /// <param name="read">Of what no format describes; null of another text.</param>
    private DateForm(string name, Func<string, DateTime?> read) => (Name, _read) = (name, read);

    /// <summary>Times alone: of the first day there is.</summary>
    public static DateForm OfDay { get; } = new("hour:minute", "H:mm", "H:mm:ss", "H:mm:ss.FFFFFFF", "h:mm tt", "h:mm:ss tt");

    /// <summary>20240105, which is a number as well.</summary>
    public static DateForm Digits { get; } = new("yearmonthday", text => double.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? DayOf(number) : null);

    /// <summary>Hours, also beyond a day's, and minutes: 36:15 is as long after the first moment there is.</summary>
    public static DateForm Duration { get; } = new("hours:minutes", text => ReadDuration(text, hasSeconds: false));

    /// <summary>With seconds; where there are no hours, as in 59:30 beside 1:02:15, these are minutes and seconds.</summary>
    public static DateForm DurationWithSeconds { get; } = new("hours:minutes:seconds", text => ReadDuration(text, hasSeconds: true));

    public static IReadOnlyList<DateForm> All { get; } =
    [
        new("year-month-day", [.. WithTimes("yyyy-M-d", "yyyy/M/d", "yyyy.M.d"), .. s_times[1..4].SelectMany(IsoTimes), "yyyy-MM"]),
        new("day.month.year", WithTimes("d.M.yyyy", "d.M.yy")),
        new("day/month/year", WithTimes("d/M/yyyy", "d-M-yyyy")),
        new("month/day/year", WithTimes("M/d/yyyy", "M-d-yyyy")),
        new("day month year", WithTimes("d-MMM-yyyy", "d MMM yyyy", "d MMMM yyyy", "d-MMM-yy")),
        new("month day, year", WithTimes("MMM d, yyyy", "MMMM d, yyyy", "MMM d yyyy", "MMMM d yyyy", "MMM-d-yyyy")),
        new("month year", "MMM yyyy", "MMMM yyyy", "MMM-yyyy", "MMM-yy"),
        new("year quarter", ReadQuarter),
        new("year week", ReadWeek),
        Digits,
        OfDay,
        Duration,
        DurationWithSeconds,
    ];

    /// <summary>In data.json.</summary>
    public string Name { get; }

    public bool IsDuration => this == Duration || this == DurationWithSeconds;

    public bool TryParse(ReadOnlySpan<char> text, out DateTime time)
    {
        if (text.Length is >= 4 and <= Longest && (char.IsAsciiDigit(text[0]) || char.IsAsciiLetter(text[0])))
        {
            if (_read is null) return DateTime.TryParseExact(text, _formats, CultureInfo.InvariantCulture, Styles, out time);
            var read = text.Length <= LongestDuration ? _read(text.ToString()) : null;
            time = read.GetValueOrDefault();
            return read is not null;
        }

        time = default;
        return false;
    }

    /// <summary>Whether a text is a date or time in one of the forms.</summary>
    public static bool IsAny(ReadOnlySpan<char> text)
    {
        foreach (var form in All) if (form.TryParse(text, out _)) return true;
        return false;
    }

    /// <summary>The day that a number such as 20240105 may be.</summary>
    public static DateTime? DayOf(double number)
    {
        if (!(number >= FirstYear * 10_000 && number < (LastYear + 1) * 10_000) || number != Math.Floor(number)) return null;
        var (year, month, day) = ((int)number / 10_000, (int)number / 100 % 100, (int)number % 100);
        return month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year, month) ? new DateTime(year, month, day) : null;
    }

    private static DateTime? ReadDuration(string text, bool hasSeconds)
    {
        if (text[^3] != ':') return null;
        int[] parts = [.. text.Split(':').Select((part, i) => part.Length is 1 or 2 || (i == 0 && part.Length <= 4)
            ? int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1 : -1)];
        return parts switch
        {
            [>= 0 and var first, >= 0 and < 60 and var second] => DateTime.MinValue + (hasSeconds ? new TimeSpan(0, first, second) : new TimeSpan(first, second, 0)),
            [>= 0 and var hours, >= 0 and < 60 and var minutes, >= 0 and < 60 and var seconds] when hasSeconds => DateTime.MinValue + new TimeSpan(hours, minutes, seconds),
            _ => null,
        };
    }

    /// <summary>2024-Q3, 2024Q3, 2024 Q3, Q3 2024, Q3-2024: its first day.</summary>
    private static DateTime? ReadQuarter(string text) =>
        Period(text, 'Q') is (var year, >= 1 and <= 4 and var quarter) ? new DateTime(year, (3 * quarter) - 2, 1) : null;

    /// <summary>2024-W07, 2024W07: its Monday (ISO 8601).</summary>
    private static DateTime? ReadWeek(string text) =>
        Period(text, 'W') is (var year, >= 1 and var week) && week <= ISOWeek.GetWeeksInYear(year) ? ISOWeek.ToDateTime(year, week, DayOfWeek.Monday) : null;

    /// <summary>The year of four digits on one side of a letter, and the number on the other.</summary>
    private static (int Year, int Number)? Period(string text, char letter)
    {
        if (text.Length > LongestPeriod) return null;
        var place = text.IndexOf(letter, StringComparison.OrdinalIgnoreCase);
        if (place < 0) return null;
        var (before, after) = (text[..place].TrimEnd('-', ' '), text[(place + 1)..]);
        if (before.Length == 0) (after, before) = after.Split('-', ' ') is [var number, var last] ? (number, last) : ("", "");
        return before.Length == 4 && after.Length is 1 or 2 && int.TryParse(before, NumberStyles.None, CultureInfo.InvariantCulture, out var year) && year > 0
            && int.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var period) ? (year, period) : null;
    }

    /// <summary>Seconds since 1970.</summary>
    public static double Seconds(DateTime time) => (time - DateTime.UnixEpoch).TotalSeconds;

    private static string[] WithTimes(params string[] days) => [.. days.SelectMany(day => s_times.Select(time => day + time))];

    private static IEnumerable<string> IsoTimes(string time) =>
        from day in (IEnumerable<string>)["yyyy-MM-dd'T'", "yyyyMMdd'T'", "yyyy-MM-dd "]
        from zone in (IEnumerable<string>)["", "K", "zzz", "' UTC'"]
        select $"{day}{time.Trim()}{zone}";
}
