using System.Text.Json.Nodes;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tables;

/// <summary>
/// What a spec says for a table unless its author says otherwise, by rows and task. Numbers, and many classes, are learned long;
/// a few classes are soon learned, and from then on by heart. Of short tables the validation rows say when to stop, unless they are too
/// few to tell. Where networks of two kinds are good in different ways, members are of both.
/// </summary>
internal static class TableDefaults
{
    private const int ManyClasses = 10, FewestToStopBy = 100, Short = 1500, Long = 8000;

    /// <param name="rows">That train.</param>
    public static JsonObject For(long rows, LearningTask? task = null)
    {
        var isLong = task is Regression || task is Classification { Classes.Count: > ManyClasses };
        var isShort = rows < Short;
        var isMiddling = task is Regression && !isShort && rows < Long;
        var batchSize = isShort ? isLong ? 64 : 32 : rows < 5000 ? 64 : rows < 30_000 ? 128 : 256;
        var epochs = isShort ? 100 : !isLong ? 15 : rows < Long ? 60 : 40;
        var hidden = isMiddling ? "128" : isLong && isShort ? "128, 128" : isLong && rows >= Long ? "512, 512" : "256, 256";
        var defaults = JsonNode.Parse($$"""
            {
              "model": { "kind": "mlp", "hidden": [{{hidden}}], "numericEmbedding": "piecewise-linear" },
              "training": {
                "epochs": {{epochs}}, "batchSize": {{batchSize}},
                "optimizer": { "kind": "adamw" }, "schedule": { "kind": "cosine", "learningRate": {{(isLong ? "0.002" : "0.001")}} }
              },
              "regularization": { "weightDecay": 0.1, "dropout": { "rate": {{(isLong && !isShort ? "0.2" : "0.3")}} } }
            }
            """)!.AsObject();
        if (isShort && rows >= FewestToStopBy) defaults["training"]!["earlyStopping"] = new JsonObject { ["patience"] = 30 };
        if (isShort) defaults["variants"] = JsonNode.Parse("""[{}, {}, { "model": { "kind": "tabm", "submodels": 8, "numericEmbedding": null } }]""");
        if (isMiddling) defaults["variants"] = JsonNode.Parse("""[{}, { "model": { "hidden": [256, 256], "numericEmbedding": null } }]""");
        return defaults;
    }
}
