using System.Text.Json;

namespace DistributedEnsemble.Benchmarks.Own;

/// <summary>The parts of `own` in one file: those that are measured take the place of what was measured of them before.</summary>
internal sealed class OwnFile
{
    private readonly SortedDictionary<string, JsonElement> _parts = new(StringComparer.Ordinal);

    /// <summary>Parts in the order of the page.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["former steps", "steps", "products", "program", "grains", "silos", "serving", "threads", "bfloat16", "others"];

    public static OwnFile Read(FileInfo? file)
    {
        var parts = new OwnFile();
        if (file is not { Exists: true }) return parts;
        using var document = JsonDocument.Parse(File.ReadAllText(file.FullName));
        foreach (var part in document.RootElement.GetProperty("parts").EnumerateObject()) parts._parts[part.Name] = part.Value.Clone();
        return parts;
    }

    public IEnumerable<(string Name, OwnPart Part)> Parts =>
        Names.Where(_parts.ContainsKey).Select(name => (name, _parts[name].Deserialize<OwnPart>(Report.Json)!));

    public void Set(string name, OwnPart part) => _parts[name] = JsonSerializer.SerializeToElement(part, Report.Json);

    public string ToJson() => JsonSerializer.Serialize(
        new { Benchmark = "own", Parts = Names.Where(_parts.ContainsKey).ToDictionary(name => name, name => _parts[name]) }, Report.Json) + "\n";
}
