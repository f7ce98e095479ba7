using System.Globalization;
using System.Text;

namespace DistributedEnsemble.Training;

/// <summary>The distinct labels of a column, numbered as they come.</summary>
internal sealed class LabelTexts
{
    public const int Most = 1000;

    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly List<(string Text, long Line)> _labels = [];
    private char[] _characters = new char[256];

    public int Count => _labels.Count;

    public string this[int label] => _labels[label].Text;

    public long FirstLine(int label) => _labels[label].Line;

    /// <param name="utf8">Valid UTF-8.</param>
    public int IndexOf(ReadOnlySpan<byte> utf8, long line)
    {
        if (_characters.Length < utf8.Length) _characters = new char[utf8.Length];
        // UTF-8 never takes fewer bytes than UTF-16 takes characters.
        var text = _characters.AsSpan(0, Encoding.UTF8.GetChars(utf8, _characters)).Trim();
        var known = _numbers.GetAlternateLookup<ReadOnlySpan<char>>();
        if (known.TryGetValue(text, out var number)) return number;
        _labels.Add((text.ToString(), line));
        known[text] = number = _labels.Count - 1;
        return number;
    }

    /// <summary>The classes, by value if all are numbers, by code points' order otherwise; and the place of each label among them.</summary>
    public (string[] Classes, int[] Order) Ordered()
    {
        var values = _labels.Select(label => Value(label.Text)).ToArray();
        var numeric = values.All(value => value is not null);
        int[] sorted =
        [
            .. Enumerable.Range(0, Count)
                .OrderBy(label => numeric ? values[label] : 0)
                .ThenBy(label => _labels[label].Text, StringComparer.Ordinal),
        ];
        var order = new int[Count];
        for (var place = 0; place < sorted.Length; place++) order[sorted[place]] = place;
        return ([.. sorted.Select(label => _labels[label].Text)], order);
    }

    private static double? Value(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null;
}
