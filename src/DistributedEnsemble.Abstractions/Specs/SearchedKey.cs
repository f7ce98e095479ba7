using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using DistributedEnsemble.Randomness;

namespace DistributedEnsemble.Specs;

/// <summary>A key and what it is drawn from: a range of numbers, or values.</summary>
/// <param name="Choices">Empty of a range.</param>
internal sealed record SearchedKey(SpecKey Key, double Low, double High, bool IsLogarithmic, ImmutableArray<object?> Choices)
{
    private const string Logarithmic = "log", Linear = "linear", Choice = "choice";

    /// <exception cref="SpecException">It is neither a range nor values of the key.</exception>
    public static SearchedKey Read(SpecKey key, JsonElement value)
    {
        JsonElement[] items = value.ValueKind is JsonValueKind.Array ? [.. value.EnumerateArray()] : [];
        if (items.Length == 0) throw SpecValue.Wrong(key.Path, value, RuleOf(key));
        var word = key.IsNumber && items[^1].ValueKind is JsonValueKind.String ? items[^1].GetString() : null;
        if (word is not (null or Logarithmic or Linear or Choice))
            throw SpecValue.Wrong(key.Path, value, $"a list of numbers ends in {Logarithmic}, {Linear} or {Choice}, if in a word (did you mean {Nearest.Of(word, [Logarithmic, Linear, Choice])}?)");
        if (word is not null) items = items[..^1];
        if (items.Length == 0) throw SpecValue.Wrong(key.Path, value, RuleOf(key));
        var values = items.Select(item => SpecValue.Read(key, item)).ToImmutableArray();
        var isRange = word is Logarithmic or Linear || (word is null && key.IsNumber && items is [{ ValueKind: JsonValueKind.Number }, { ValueKind: JsonValueKind.Number }]);
        if (!isRange) return new SearchedKey(key, 0, 0, false, values);
        if (values is not [{ } first, { } second]) throw SpecValue.Wrong(key.Path, value, "a range has two ends, as in [1e-4, 0.1, \"log\"]");

        var (low, high) = (Convert.ToDouble(first, CultureInfo.InvariantCulture), Convert.ToDouble(second, CultureInfo.InvariantCulture));
        if (low >= high) throw SpecValue.Wrong(key.Path, value, "a range goes from the smaller number to the larger");
        if (word == Logarithmic && low <= 0) throw SpecValue.Wrong(key.Path, value, "a logarithmic range begins above 0");
        return new SearchedKey(key, low, high, word == Logarithmic, []);
    }

    /// <summary>The value of a variant: a function of the seed, the variant and the key's name alone.</summary>
    public object? Draw(ulong seed, int variant)
    {
        Span<uint> words = stackalloc uint[2];
        Philox.Fill(seed, (uint)variant, HashOf(Key.Path), (uint)Purpose.Search, words);
        var share = (((ulong)words[1] << 32 | words[0]) >> 11) * (1.0 / (1ul << 53));
        if (!Choices.IsEmpty) return Choices[(int)(share * Choices.Length)];
        if (Key.Type == typeof(int)) return (int)Math.Clamp(IsLogarithmic ? Math.Round(Between(share)) : Low + Math.Floor(share * (High - Low + 1)), Low, High);
        // Few digits are for people; and where two machines' logarithms differ, they differ in the last.
        return Math.Clamp(double.Parse(Between(share).ToString("E3", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture), Low, High);
    }

    private double Between(double share) => IsLogarithmic ? Low * Math.Pow(High / Low, share) : Low + share * (High - Low);

    private static string RuleOf(SpecKey key) => key.IsNumber
        ? "it must be a range, as in [1, 10] or [1, 10, \"log\"], or a list of values to choose from"
        : "it must be a list of values to choose from";

    /// <summary>FNV-1a.</summary>
    private static uint HashOf(string text) => text.Aggregate(2166136261u, (hash, letter) => (hash ^ letter) * 16777619u);
}
