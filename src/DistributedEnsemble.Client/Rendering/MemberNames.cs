using System.Text.Json.Nodes;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>What members are called: by their numbers, and by their settings where these differ.</summary>
internal sealed class MemberNames
{
    /// <summary>Longer settings leave no room for the rest of a line.</summary>
    private const int Longest = 28;

    private readonly string[] _settings;

    private MemberNames(string[] settings) => _settings = settings;

    public static MemberNames Plain { get; } = new([]);

    public static MemberNames Of(EnsembleSpec spec) => new([.. spec.Variants.Select(variant => InWords(variant.ToJson()))]);

    public string this[int member] => _settings.Length == 0 ? $"{member}" : $"{member} {Shortened(_settings[member % _settings.Length])}";

    /// <summary>The last words of the keys: learningRate=0.1, hidden=[64,64].</summary>
    private static string InWords(JsonObject settings)
    {
        var words = new List<string>();
        foreach (var (key, value) in settings)
        {
            if (value is JsonObject section) words.Add(InWords(section));
            else words.Add($"{key}={(value is JsonValue text && text.TryGetValue<string>(out var plain) ? plain : value?.ToJsonString() ?? "null")}");
        }

        return string.Join(' ', words);
    }

    private static string Shortened(string text) => text.Length <= Longest ? text : $"{text[..(Longest - 1)]}…";
}
