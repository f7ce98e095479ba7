using System.Text.Json;
using System.Text.RegularExpressions;

namespace DistributedEnsemble.Specs;

/// <summary>One value of a spec: from JSON, and in the words of an error.</summary>
internal static partial class SpecValue
{
    private const int LongestShown = 100;

    /// <exception cref="SpecException">The value has another type, or is out of range.</exception>
    public static object? Read(SpecKey key, JsonElement value) =>
        value.ValueKind is JsonValueKind.Null && key.IsNullable ? null
        : key.IsList ? List(key, value)
        : key.IsTextList ? Texts(key, value)
        : key.IsVariants ? Variants(key, value)
        : key.IsSearch ? SpecSearch.Read(key, value)
        : key.IsSettings ? SpecSettings.TryParse(value.GetRawText()) ?? throw Wrong(key.Path, value, key.Rule)
        : Scalar(key, value) ?? throw Wrong(key.Path, value, key.Rule);

    public static SpecException Wrong(string path, JsonElement value, string rule) => new($"{path} is {Shown(value)}: {rule}.");

    /// <summary>As in a spec, on one line.</summary>
    public static string InWords(object? value) => value switch
    {
        null => "null",
        string text => $"\"{Shown(text)}\"",
        Enum choice => SpecNames.OfChoice(choice),
        bool truth => truth ? "true" : "false",
        SpecList<string> texts => $"[{string.Join(", ", texts.Select(InWords))}]",
        SpecSettings or SpecVariant or SpecSearch => Shown(value.ToString()!),
        double number => number.ToString("R").Replace("E-0", "e-", StringComparison.Ordinal).Replace("E", "e", StringComparison.Ordinal),
        _ => value.ToString()!,
    };

    /// <summary>What somebody wrote, cut to fit into a message of one line.</summary>
    public static string Shown(string text)
    {
        var line = Unprintable().Replace(text, " ");
        return line.Length <= LongestShown ? line : $"{line[..LongestShown]}…";
    }

    private static string Shown(JsonElement value) => Shown(value.GetRawText());

    private static object? Scalar(SpecKey key, JsonElement value) =>
        key.Type == typeof(int) ? (int?)Whole(key.Interval!, value)
        : key.Type == typeof(ulong) ? (ulong?)Whole(key.Interval!, value)
        : key.Type == typeof(bool) ? Truth(value)
        : key.Type == typeof(double) ? Number(key.Interval!, value)
        : key.Type.IsEnum ? Choice(key, value)
        : Text(value) is { } text && key.Pattern!.IsMatch(text) ? text : null;

    // 1e3 is whole, too.
    private static decimal? Whole(SpecRange range, JsonElement value) =>
        value.ValueKind is JsonValueKind.Number && value.TryGetDecimal(out var number) && decimal.IsInteger(number) && range.Contains(number)
            ? number : null;

    private static double? Number(SpecRange range, JsonElement value) =>
        value.ValueKind is JsonValueKind.Number && value.TryGetDouble(out var number) && range.Contains(number) ? number : null;

    private static object? Choice(SpecKey key, JsonElement value)
    {
        if (Text(value) is not { } text) return null;
        return Enum.GetValues(key.Type).Cast<object>().FirstOrDefault(choice => SpecNames.OfChoice(choice) == text)
            ?? throw Wrong(key.Path, value, $"{key.Rule} (did you mean {Nearest.Of(text, key.Choices)}?)");
    }

    private static SpecList<int> List(SpecKey key, JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.Array || !key.Items!.Contains((decimal)value.GetArrayLength()))
            throw Wrong(key.Path, value, key.Rule);

        return [.. value.EnumerateArray().Select((item, index) => (int)(Whole(key.Interval!, item)
            ?? throw Wrong($"{key.Path}[{index}]", item, $"it must be a whole number {key.Interval!.InWords}")))];
    }

    private static SpecList<string> Texts(SpecKey key, JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.Array || !key.Items!.Contains((decimal)value.GetArrayLength()))
            throw Wrong(key.Path, value, key.Rule);

        return [.. value.EnumerateArray().Select((item, index) => Text(item) is { Length: > 0 } text && !text.Any(char.IsControl)
            ? text
            : throw Wrong($"{key.Path}[{index}]", item, "it must be a text of one line, in quotes"))];
    }

    private static SpecList<SpecVariant> Variants(SpecKey key, JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.Array || !key.Items!.Contains((decimal)value.GetArrayLength()))
            throw Wrong(key.Path, value, key.Rule);

        return [.. value.EnumerateArray().Select((item, index) => SpecReader.ReadVariant($"{key.Path}[{index}]", item))];
    }

    private static bool? Truth(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    /// <summary>The text of a JSON string; null if it is something else, or holds half of a surrogate pair.</summary>
    private static string? Text(JsonElement value)
    {
        try
        {
            return value.ValueKind is JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"[\p{Cc}\p{Zl}\p{Zp}\s]+")]
    private static partial Regex Unprintable();
}
