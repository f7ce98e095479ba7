using System.Text.Json.Nodes;

namespace DistributedEnsemble.Specs;

/// <summary>A partial spec that some members have over the run's. Equal to another of the same text.</summary>
public sealed record SpecVariant
{
    /// <summary>Says nothing: its members have the run's spec.</summary>
    internal static readonly SpecVariant Empty = new(SpecLayer.Empty);

    private readonly string _text;

    internal SpecVariant(SpecLayer keys) => (Keys, _text) = (keys, SpecWriter.WriteLine(keys));

    internal SpecLayer Keys { get; }

    public JsonObject ToJson() => JsonNode.Parse(_text)!.AsObject();

    public override string ToString() => _text;

    public bool Equals(SpecVariant? other) => other is not null && _text == other._text;

    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <summary>The error of a variant: its place stands before the key that the message begins with.</summary>
    /// <param name="place">As in "variants[2]".</param>
    internal static SpecException Error(string place, SpecException error)
    {
        var word = error.Message[..error.Message.AsSpan().IndexOfAny(" :[")];
        var isKey = word.Contains('.') || SpecSchema.Root.Find(word) is not null || error.Message[word.Length..].StartsWith(UnknownKey.Middle, StringComparison.Ordinal);
        return new SpecException(isKey && word[0] != '"' ? $"{place}.{error.Message}" : $"{place}: {error.Message}");
    }
}
