using System.Runtime.InteropServices;
using System.Text;

namespace DistributedEnsemble.Training.Tables;

/// <summary>What the training rows say of a column, gathered in one pass and in bounded memory, but for numbers that are to be kept.</summary>
internal sealed class ColumnSurvey
{
    /// <summary>Distinct texts that are told apart; columns of numbers have fewer, because nobody asks for more.</summary>
    private const int MostLevels = 100_000, MostNumbers = 2_000;

    /// <summary>Distinct texts among numbers that may be words for a missing one, and how many distinct numbers are too many to be levels.</summary>
    private const int MostWords = 3, FewestNumbers = 17;

    private readonly Dictionary<string, long> _levels = new(StringComparer.Ordinal);
    private Dictionary<string, long>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private List<(DateForm Form, DateMoments Moments)>? _dates;
    private NumberDress _dressOfAll = (NumberDress)(-1), _dressOfAny;
    private double _counterStart = double.NaN;
    private List<string>? _words = [];
    private (int Length, bool IsOfAll, bool HasZero) _codes = (0, true, false);
    private char[] _text = new char[64];
    private string? _unit;
    private bool _hasDates;
    private DateMoments? _days;
    private bool _areDays = true;

    /// <summary>Whether the header has no name for the column but what programs write in its place.</summary>
    public bool IsUnnamed { get; init; }

    /// <param name="keepsNumbers">Whether <see cref="Kept"/> has them, 8 bytes each.</param>
    public ColumnSurvey(bool keepsNumbers = false)
    {
        _lookup = _levels.GetAlternateLookup<ReadOnlySpan<char>>();
        if (keepsNumbers) _kept = [];
    }

    /// <summary>All rows.</summary>
    public long Rows { get; private set; }

    public long Missing { get; private set; }
    public long Present => Rows - Missing;

    /// <summary>Whether every cell that is not missing is a number, all in the same dress.</summary>
    public bool AreNumbers { get; private set; } = true;

    public bool AreWhole { get; private set; } = true;

    /// <summary>Whether the numbers are those of the rows in the file, from wherever they start.</summary>
    public bool CountsRows { get; private set; } = true;

    /// <summary>What stands behind every number, as in 5 kg; null where nothing does, or not the same.</summary>
    public string? Unit => _dressOfAny == NumberDress.Unit ? _unit : null;

    /// <summary>The numbers where some are written short, as 12k beside 1.5M; null of other columns.</summary>
    public Magnitudes? Magnitudes => !AreNumbers && _magnitudes is { AreMeant: true } ? _magnitudes : null;

    /// <summary>The numbers, whether written short or not.</summary>
    public Moments LongNumbers => _magnitudes is { MayBe: true } ? _magnitudes.Numbers : Numbers;

    private Magnitudes? _magnitudes;

    /// <summary>Of the numbers among texts, too, as long as there may be <see cref="Words"/>.</summary>
    public Moments Numbers { get; private set; } = new();

    /// <summary>
    /// The few texts, two in three cells being numbers of many values: what somebody writes where there is no number. Null of
    /// other columns.
    /// </summary>
    public IReadOnlyList<string>? Words => !AreNumbers && _words is not null && 3 * Numbers.Count >= 2 * Present
        && (HasMoreLevels || _levels.Count - _words.Count >= FewestNumbers) ? _words : null;

    /// <summary>Whether numbers stand there, and more texts than a few words.</summary>
    public bool AreMixed => !AreNumbers && Numbers.Count > MostWords;

    /// <summary>Whether the numbers are digits of one length that may begin with 0: no amounts, but codes.</summary>
    public bool AreCodes => AreNumbers && _codes is { IsOfAll: true, HasZero: true };

    /// <summary>The first cell that keeps the column from being one of numbers.</summary>
    public string? FirstText { get; private set; }

    /// <summary>How often each text stands there; incomplete if <see cref="HasMoreLevels"/>.</summary>
    public IReadOnlyDictionary<string, long> Levels => _levels;

    /// <summary>Whether there are more distinct texts than were counted.</summary>
    public bool HasMoreLevels { get; private set; }

    public double MeanLength => Present == 0 ? 0 : _length / (double)Present;

    /// <summary>The one form in which every cell is a date or time, with what they say; null if there is none, or more than one.</summary>
    public (DateForm Form, DateMoments Moments)? Dates => Present == 0 ? null
        : AreNumbers ? (_areDays && _days is { Seconds.Varies: true } ? (DateForm.Digits, _days) : null)
        // Times of the day are durations as well, and hours and minutes could be minutes and seconds.
        : _dates is [var first, ..] && _dates.Skip(1).All(date => date.Form.IsDuration) ? first : null;

    /// <summary>The same in one of the forms that each cell has; null if one has not.</summary>
    /// <param name="name">The form's.</param>
    public (DateForm Form, DateMoments Moments)? DatesOf(string name) => AreNumbers ? Dates
        : _dates?.Select(date => ((DateForm Form, DateMoments Moments)?)date).FirstOrDefault(date => date?.Form.Name == name);

    /// <summary>Whether every cell is a date in more than one form, so that days and months cannot be told.</summary>
    public bool AreAmbiguousDates => _dates?.Count > 1 && Dates is null;

    /// <summary>All numbers that came; null if they were not to be kept.</summary>
    public IReadOnlyList<double>? Kept => _kept;

    private readonly List<double>? _kept;
    private long _length;

    /// <param name="row">Of the file, from 0.</param>
    public void Add(Cell cell, long row)
    {
        Rows++;
        if (cell.IsMissing)
        {
            Missing++;
            return;
        }

        var isPlain = cell.TryNumber(out var number, out var dress);
        if (_magnitudes is not null || !isPlain || dress == NumberDress.Percent)
        {
            _magnitudes ??= new Magnitudes(Numbers.Copy());
            if (_magnitudes.MayBe) _magnitudes.Add(cell, cell.Text(ref _text));
        }

        var isNumber = _words is not null && (isPlain || TryUnit(cell, out number, out dress)) && AddNumber(cell, number, dress, row);
        if (HasMoreLevels && AreNumbers && isNumber) return;
        var text = cell.Text(ref _text);
        if (AreNumbers && !isNumber)
        {
            FirstText = text.ToString();
            AreNumbers = CountsRows = false;
        }

        if (!isNumber) AddWord(text);
        if (!AreNumbers) AddDate(text);
        _length += text.Length;
        if (!HasMoreLevels) AddLevel(text);
    }

    private bool AddNumber(Cell cell, double number, NumberDress dress, long row)
    {
        if (_dressOfAny == NumberDress.Unit && dress != NumberDress.Unit) TakeUnitsForWords();
        if (_words is null || (_dressOfAny | dress) != (_dressOfAll & dress)) return false;
        (_dressOfAny, _dressOfAll) = (dress, dress);
        Numbers.Add(number);
        _kept?.Add(number);
        if (_areDays) AddDay(number, dress);
        if (_codes.IsOfAll) AddCode(dress == NumberDress.Unit ? WithoutUnit(cell.Bytes) : cell.Bytes);
        // Nobody writes a row's number as 1,000 or $7.
        if (CountsRows && (dress != NumberDress.None || cell.Bytes.ContainsAny((byte)',', (byte)'.'))) CountsRows = false;
        if (AreWhole && number != Math.Floor(number)) AreWhole = CountsRows = false;
        if (!CountsRows) return true;
        if (double.IsNaN(_counterStart)) _counterStart = number - row;
        CountsRows = number - row == _counterStart;
        return true;
    }

    private bool TryUnit(Cell cell, out double number, out NumberDress dress)
    {
        dress = NumberDress.Unit;
        number = 0;
        if (_hasDates || !cell.TrySplit(out number, out var unit)) return false;
        if (_unit is null)
        {
            // 1 Jan 2024, 2024Q3
            _hasDates = DateForm.IsAny(cell.Text(ref _text));
            if (_hasDates) return false;
            _unit = Encoding.UTF8.GetString(unit);
        }

        return cell.TryNumber(_unit, out number);
    }

    /// <summary>Where numbers without a unit follow, what came before was no number with one, but text: 90 and over.</summary>
    private void TakeUnitsForWords()
    {
        FirstText ??= _levels.Keys.First();
        AreNumbers = CountsRows = false;
        AreWhole = true;
        Numbers = new Moments();
        (_dressOfAll, _dressOfAny) = ((NumberDress)(-1), NumberDress.None);
        _words = HasMoreLevels || _levels.Count > MostWords ? null : [.. _levels.Keys];
        _dates = [];
    }

    /// <summary>The digits alone, where nothing but a unit stands behind them: 007A.</summary>
    private static ReadOnlySpan<byte> WithoutUnit(ReadOnlySpan<byte> text)
    {
        var digits = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        return text[digits] is (byte)'.' or (byte)',' ? text : text[..digits];
    }

    private void AddDay(double number, NumberDress dress)
    {
        if (dress == NumberDress.None && DateForm.DayOf(number) is { } day) (_days ??= new DateMoments()).Add(day);
        else _areDays = false;
    }

    private void AddCode(ReadOnlySpan<byte> text)
    {
        if (_codes.Length == 0) _codes.Length = text.Length;
        _codes.IsOfAll = text.Length == _codes.Length && text.Length > 1 && !text.ContainsAnyExceptInRange((byte)'0', (byte)'9');
        _codes.HasZero |= _codes.IsOfAll && text[0] == '0';
    }

    private void AddWord(ReadOnlySpan<char> text)
    {
        if (_words is null) return;
        foreach (var word in _words) if (text.SequenceEqual(word)) return;
        if (_words.Count == MostWords) _words = null;
        else _words.Add(text.ToString());
    }

    private void AddDate(ReadOnlySpan<char> text)
    {
        // Where numbers came before, no form of date is one. Very wide tables of numbers have no room for moments of dates.
        _dates ??= Numbers.Count > 0 ? [] : [.. DateForm.All.Select(form => (form, new DateMoments()))];
        for (var i = _dates.Count - 1; i >= 0; i--)
        {
            if (_dates[i].Form.TryParse(text, out var time)) _dates[i].Moments.Add(time);
            else _dates.RemoveAt(i);
        }
    }

    private void AddLevel(ReadOnlySpan<char> text)
    {
        ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(_lookup, text, out var known);
        count++;
        HasMoreLevels = !known && _levels.Count > (AreNumbers ? MostNumbers : MostLevels);
    }
}

/// <summary>Moments of dates and of their parts.</summary>
internal sealed class DateMoments
{
    public Moments Seconds { get; } = new();
    public Moments[] Parts { get; } = [.. DateParts.All.Select(_ => new Moments())];

    public void Add(DateTime time)
    {
        Seconds.Add(DateForm.Seconds(time));
        for (var i = 0; i < Parts.Length; i++) Parts[i].Add(DateParts.All[i].Of(time));
    }
}

/// <summary>What a network cannot see in a number of seconds.</summary>
internal static class DateParts
{
    public static IReadOnlyList<(string Name, Func<DateTime, int> Of)> All { get; } =
    [
        ("year", time => time.Year), ("month", time => time.Month), ("weekday", time => ((int)time.DayOfWeek + 6) % 7), ("hour", time => time.Hour),
    ];
}
