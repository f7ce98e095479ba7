using System.Text.Json.Nodes;

namespace DistributedEnsemble.Specs;

/// <summary>A spec as its author wrote it: the explicit keys of a file, with flags over them. Each is checked when it is read.</summary>
public sealed class SpecDocument
{
    private readonly SpecLayer _keys;

    private SpecDocument(SpecLayer keys) => _keys = keys;

    /// <summary>Says nothing: every default applies.</summary>
    public static SpecDocument Empty { get; } = new(SpecLayer.Empty);

    /// <summary>The dataset, whose defaults <see cref="Resolve(JsonObject?, IReadOnlyCollection{string}?)"/> takes.</summary>
    public string Dataset => _keys[SpecPaths.Dataset] as string ?? new DataSpec().Dataset;

    /// <summary>What the author said of the data, and the defaults of the code where he was silent.</summary>
    public DataSpec Data => SpecBuilder.Build(_keys, new EnsembleSpec()).Data;

    /// <summary>The table of further rows that a student's teacher labels; null without one.</summary>
    public string? Unlabelled => SpecBuilder.Build(_keys, new EnsembleSpec()).Distillation?.Unlabelled;

    /// <summary>The name that the author gave the run; null lets the system choose.</summary>
    public string? Name => _keys["name"] as string;

    /// <summary>Reads a file: JSON, in which comments and trailing commas are allowed.</summary>
    /// <exception cref="SpecException">It is not JSON, a key is unknown or given twice, a value has another type or is out of range.</exception>
    public static SpecDocument Parse(string text) => new(SpecReader.Read(text));

    /// <summary>Sets one key, or a section. The value is JSON if it can be read as JSON, else a text.</summary>
    /// <exception cref="SpecException">There is no such key, or it takes no such value.</exception>
    public SpecDocument With(string path, string value) => new(SpecReader.Read(_keys, path, value));

    /// <summary>Sets keys one after the other.</summary>
    /// <inheritdoc cref="With(string, string)" path="/exception"/>
    public SpecDocument With(IEnumerable<(string Path, string Value)> settings) =>
        settings.Aggregate(this, (document, setting) => document.With(setting.Path, setting.Value));

    /// <summary>Splits path=value, the argument of --set.</summary>
    /// <exception cref="SpecException">There is no = in it.</exception>
    public static (string Path, string Value) ParseSetting(string setting) => setting.IndexOf('=') is var at and >= 0
        ? (setting[..at].Trim(), setting[(at + 1)..])
        : throw new SpecException($"--set {SpecValue.Shown(setting)} has no value: write path=value, as in --set training.epochs=20.");

    /// <summary>Fills in what the author left open, first from the dataset, then from the code, and checks the whole.</summary>
    /// <param name="datasetDefaults">A partial spec.</param>
    /// <param name="modelKinds">The kinds of models that the host has; null is <see cref="ModelSpec.BuiltInKinds"/>.</param>
    /// <exception cref="SpecException">The keys do not go together.</exception>
    public EnsembleSpec Resolve(JsonObject? datasetDefaults = null, IReadOnlyCollection<string>? modelKinds = null)
    {
        modelKinds ??= ModelSpec.BuiltInKinds;
        var spec = ResolveOver(datasetDefaults is null ? SpecLayer.Empty : SpecReader.Read(datasetDefaults.ToJsonString()), modelKinds);
        SpecRules.CheckNew(spec);
        spec = SpecSearch.Drawn(spec, (run, isChosen) => SpecResolution.WithLearningRates(run, isChosen, modelKinds));
        spec = SpecResolution.WithLearningRates(spec, _keys.Has(SpecPaths.LearningRate), modelKinds);
        SpecRules.CheckVariants(spec, modelKinds);
        return spec;
    }

    /// <summary>The explicit keys alone, as a spec that can be read again.</summary>
    public string ToJson() => SpecWriter.Write(_keys);

    internal EnsembleSpec ResolveOver(SpecLayer dataset, IReadOnlyCollection<string>? modelKinds) =>
        SpecResolution.Resolve(_keys, SpecResolution.WithFittingVariants(dataset, _keys), modelKinds);
}
