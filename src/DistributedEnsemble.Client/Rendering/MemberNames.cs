using DistributedEnsemble.Messages;
using DistributedEnsemble.Reports;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>What members are called: by their numbers, and by their settings where these differ.</summary>
internal sealed class MemberNames
{
    /// <summary>Longer settings leave no room for the rest of a line.</summary>
    private const int Longest = 28;

    private const int MostGroups = 4;

    private readonly string[] _settings;

    private MemberNames(string[] settings) => _settings = settings;

    public static MemberNames Plain { get; } = new([]);

    /// <summary>By the last words of their keys: learningRate=0.1 hidden=[64,64]. Left out is what a member
    /// does not have, as the submodels of another kind of network, while something else is left to say.</summary>
    public static MemberNames Of(EnsembleSpec spec) =>
        new([.. MemberSettings.Of(spec, [.. Enumerable.Range(0, spec.Variants.Count)]).Select(settings =>
        {
            string[] keys = [.. settings.Select(setting => setting.Key)];
            var own = settings.Where(setting => setting.Value is not null).ToArray();
            return OneLine.Of(string.Join(' ', (own.Length > 0 ? own : [.. settings]).Select(setting => $"{SpecValues.ShortName(setting.Key, keys)}={SpecValues.Plainly(setting.Value)}")));
        })]);

    /// <summary>Null where members do not differ.</summary>
    public string? SettingsOf(int member) => _settings.Length == 0 ? null : _settings[member % _settings.Length];

    public string this[int member] => SettingsOf(member) is { } settings ? $"{member} {Shortened(settings)}" : $"{member}";

    /// <summary>How many members have which settings; empty where members do not differ.</summary>
    public string Groups(int members) => string.Join("; ", Enumerable.Range(0, members).Where(_ => _settings.Length > 0).GroupBy(member => SettingsOf(member))
        .Take(MostGroups + 1).Select((group, i) => i < MostGroups ? $"{group.Count()} with {group.Key}" : "…"));

    private static string Shortened(string text) => text.Length <= Longest ? text : $"{text[..(Longest - 1)]}…";
}
