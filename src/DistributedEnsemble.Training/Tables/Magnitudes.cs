namespace DistributedEnsemble.Training.Tables;

/// <summary>Numbers of a column that people write short, as 12k or €1.5M, beside others of another magnitude or of none.</summary>
internal sealed class Magnitudes
{
    private const int MostWords = 3;
    private const double Thousand = 1e3, Million = 1e6, Billion = 1e9;

    private List<string>? _words = [];
    private long _others;
    private bool _hasPlain, _hasThousands, _hasMillions, _hasBillions, _hasSign, _hasPartOfMillion;
    private double _greatestPlain, _greatestThousands, _leastMillions = double.PositiveInfinity;

    /// <param name="before">The numbers without a magnitude that came first; others are added.</param>
    public Magnitudes(Moments before) => (Numbers, _hasPlain, _greatestPlain) = (before, before.Count > 0, before.Greatest);

    public Moments Numbers { get; }

    /// <summary>Whether each cell so far is a number, or one of a few words.</summary>
    public bool MayBe => _words is not null;

    /// <summary>Whether the letters are magnitudes: where all are one, it is a unit as well, and 12B beside 14 may be a house.</summary>
    public bool AreMeant => MayBe && !MayBeNoMillions && Numbers.Count > 0 && Numbers.Count >= 2 * _others
        && ((_hasThousands ? 1 : 0) + (_hasMillions ? 1 : 0) + (_hasBillions ? 1 : 0) > 1 || (_hasPlain && (_hasThousands || _hasMillions)));

    /// <summary>Months beside years: 6M, 2; or metres beside kilometres: 400M, 5K. Nobody goes over to millions before 999 thousand.</summary>
    private bool MayBeNoMillions => _hasMillions && !_hasBillions && !_hasSign && !_hasPartOfMillion
        && (_hasThousands ? _leastMillions > _greatestThousands : _greatestPlain < Thousand);

    /// <summary>The few texts that stand in place of some numbers; null if there are none.</summary>
    public IReadOnlyList<string>? Words => _words is { Count: > 0 } ? _words : null;

    /// <summary>Reads 12k as 12000, and a number without a magnitude as itself.</summary>
    public static bool TryParse(Cell cell, out double number) => TryParse(cell, out number, out _, out _);

    public void Add(Cell cell, ReadOnlySpan<char> text)
    {
        if (_words is null) return;
        if (TryParse(cell, out var number, out var factor, out var hasSign))
        {
            Numbers.Add(number);
            _hasSign |= hasSign;
            Note(number / factor, factor);
            return;
        }

        _others++;
        foreach (var word in _words) if (text.SequenceEqual(word)) return;
        if (_words.Count == MostWords) _words = null;
        else _words.Add(text.ToString());
    }

    private void Note(double written, double factor)
    {
        switch (factor)
        {
            case Thousand:
                _hasThousands = true;
                _greatestThousands = Math.Max(_greatestThousands, written);
                break;
            case Million:
                _hasMillions = true;
                _hasPartOfMillion |= Math.Abs(written - Math.Round(written)) > 1e-9;
                _leastMillions = Math.Min(_leastMillions, written);
                break;
            case Billion:
                _hasBillions = true;
                break;
            default:
                _hasPlain = true;
                _greatestPlain = Math.Max(_greatestPlain, written);
                break;
        }
    }

    private static bool TryParse(Cell cell, out double number, out double factor, out bool hasSign)
    {
        (factor, hasSign) = (1, false);
        if (cell.TryNumber(out number, out var dress))
        {
            hasSign = dress == NumberDress.Currency;
            return dress is NumberDress.None or NumberDress.Currency;
        }

        if (!cell.TrySplit(out number, out var letters, allowsCurrency: true)) return false;
        hasSign = !cell.TrySplit(out _, out _);
        factor = letters switch
        {
            [(byte)'k' or (byte)'K'] => Thousand,
            [(byte)'M'] => Million,
            [(byte)'B'] or [(byte)'b', (byte)'n'] => Billion,
            _ => 0,
        };
        number *= factor;
        return factor > 0 && double.IsFinite(number);
    }
}
