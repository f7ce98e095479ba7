namespace DistributedEnsemble.Client.Rendering;

/// <summary>The course of some numbers in a few characters, the lowest at the bottom.</summary>
internal sealed class Sparkline(int width)
{
    private const string Bars = "▁▂▃▄▅▆▇█";

    /// <summary>Numbers that are kept; when they are too many, every second goes.</summary>
    private const int Most = 512;

    private readonly List<double> _values = [];
    private double? _last;
    private int _seen, _every = 1;

    /// <summary>Takes a number that differs from the one before.</summary>
    public void Add(double? value)
    {
        if (value is not { } number || !double.IsFinite(number) || _last == number) return;
        _last = number;
        if (_seen++ % _every != 0) return;
        _values.Add(number);
        if (_values.Count < Most) return;
        for (var i = 0; i < Most / 2; i++) _values[i] = _values[2 * i];
        _values.RemoveRange(Most / 2, Most / 2);
        _every *= 2;
    }

    public override string ToString()
    {
        if (_values.Count < 2) return "";
        var count = Math.Min(width, _values.Count);
        double[] means = [.. Enumerable.Range(0, count).Select(i => _values[(i * _values.Count / count)..((i + 1) * _values.Count / count)].Average())];
        var (low, high) = (means.Min(), means.Max());
        return string.Concat(means.Select(mean => Bars[high > low ? (int)Math.Round((Bars.Length - 1) * (mean - low) / (high - low)) : 0]));
    }
}
