using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Exports;

/// <summary>What an export holds, and how it predicts: manifest.json.</summary>
internal sealed record ExportManifest
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { TaskRegistry.NameTasks } },
    };

    private const string Preprocessing = "inputs = (raw / scale - mean) / deviation as in data.json, in the order of its columns; ";

    private const string OfSubmodels = "; a constituent's outputs are those of its submodels, [submodels, outputs] for a row, and each mean is over them, too";

    /// <summary>Raised when a reader of an older one could predict wrongly: 3 where constituents have networks of their own.</summary>
    public int Version => Constituents.Any(constituent => constituent.Layers is not null) ? 3 : 2;
    public required string Run { get; init; }
    public required Guid Id { get; init; }

    /// <summary>How the numbers become a prediction, for people.</summary>
    public required string Prediction { get; init; }

    /// <summary>Dropout masks per constituent that the run's spec averages over; 0 is weight scaling.</summary>
    public required int MonteCarloSamples { get; init; }

    /// <summary>Of one row: [features] or [channels, height, width].</summary>
    public required ImmutableArray<long> InputShape { get; init; }

    /// <summary>What is predicted, as in data.json.</summary>
    public required LearningTask Task { get; init; }

    /// <summary>What a regression's outputs are: "gaussian" or "squared-error"; null of other tasks.</summary>
    public string? Likelihood { get; init; }

    /// <summary>What the validation split fitted: the variance of a squared error, and the calibration; null where nothing did.</summary>
    public Measures? Fit { get; init; }

    /// <summary>From inputs to outputs, of all constituents that have no layers of their own. Tensors are named layers.N: N counts the layers that own some, in this order.</summary>
    public required JsonArray Layers { get; init; }

    /// <summary>In the order in which they are summed.</summary>
    public ImmutableArray<ExportedConstituent> Constituents { get; init; } = [];

    /// <summary>The other files, with the sha256 of their bytes.</summary>
    public ImmutableArray<ExportedFile> Files { get; init; } = [];

    public string ToJson() => JsonSerializer.Serialize(this, Json) + "\n";

    internal static ExportManifest Of(RunStatus status, RunDescription run, RunModel model, ChosenConstituents chosen, Measures? fit) => new()
    {
        Run = status.Run,
        Id = status.Id,
        MonteCarloSamples = chosen.MonteCarloSamples,
        InputShape = [.. run.Data.InputShape],
        Task = run.Data.Task,
        Likelihood = run.Data.Task is Regression ? JsonNamingPolicy.KebabCaseLower.ConvertName($"{run.Spec.Training.Likelihood}") : null,
        Fit = fit,
        Prediction = Preprocessing + model.Task.ExportedPrediction + (model.Networks.Variants.All(member => model.Networks.Of(member).Submodels == 1) ? "" : OfSubmodels),
        Layers = LayerDescription.Of(model.Networks.Of(0).Layers),
    };

    /// <returns>Null if member 0 has the same.</returns>
    internal static JsonArray? LayersOf(RunModel model, int member)
    {
        var network = model.Networks.Of(member);
        if (network == model.Networks.Of(0)) return null;
        var (layers, first) = (LayerDescription.Of(network.Layers), LayerDescription.Of(model.Networks.Of(0).Layers));
        return JsonNode.DeepEquals(layers, first) ? null : layers;
    }
}

/// <param name="Weight">How often it counts in the average.</param>
/// <param name="Sha256">Over the file's data buffer.</param>
internal sealed record ExportedConstituent(int Member, int Step, int Weight, string File, string Sha256)
{
    /// <summary>Its own network where it has another than the manifest says; null elsewhere.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonArray? Layers { get; init; }
}

internal sealed record ExportedFile(string File, string Sha256);
