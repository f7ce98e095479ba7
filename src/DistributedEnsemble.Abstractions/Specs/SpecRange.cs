using System.Text.RegularExpressions;

namespace DistributedEnsemble.Specs;

/// <summary>An interval in the notation of mathematics: a bracket includes its end, a parenthesis excludes it.</summary>
internal sealed partial record SpecRange(decimal Min, bool AboveMin, decimal Max, bool BelowMax)
{
    public static SpecRange Parse(string text)
    {
        var parts = Notation().Match(text);
        return new(decimal.Parse(parts.Groups[2].Value), parts.Groups[1].Value == "(",
            decimal.Parse(parts.Groups[3].Value), parts.Groups[4].Value == ")");
    }

    public bool Contains(decimal value) =>
        (AboveMin ? value > Min : value >= Min) && (BelowMax ? value < Max : value <= Max);

    // Not through decimal: it would round 1e-300 to 0 and 0.99999999999999999999999999999 to 1.
    public bool Contains(double value) =>
        (AboveMin ? value > (double)Min : value >= (double)Min) && (BelowMax ? value < (double)Max : value <= (double)Max);

    public string InWords => AboveMin || BelowMax
        ? $"{(AboveMin ? "above" : "at least")} {Min} and {(BelowMax ? "below" : "at most")} {Max}"
        : $"from {Min} to {Max}";

    public override string ToString() => $"{(AboveMin ? '(' : '[')}{Min}, {Max}{(BelowMax ? ')' : ']')}";

    [GeneratedRegex(@"\A([\[(])([0-9.]+), ([0-9.]+)([\])])\z")]
    private static partial Regex Notation();
}
