using System.Text.Json.Nodes;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tables;

/// <summary>
/// What a spec says for a table unless its author says otherwise, by rows and task. Numbers, and many classes, are learned long;
/// a few classes are soon learned, and from then on by heart.
/// </summary>
internal static class TableDefaults
{
    private const int ManyClasses = 10;

    /// <param name="rows">That train.</param>
    public static JsonObject For(long rows, LearningTask? task = null)
    {
        var isLong = task is Regression || task is Classification { Classes.Count: > ManyClasses };
        var isShort = rows < 1500;
        var batchSize = isShort ? isLong ? 64 : 32 : rows < 5000 ? 64 : rows < 30_000 ? 128 : 256;
        var epochs = isLong
            ? !isShort && rows < 8000 ? 60 : 40
            : isShort ? 30 : 15;
        var units = isShort && isLong ? 128 : 256;
        return JsonNode.Parse($$"""
            {
              "model": { "kind": "mlp", "hidden": [{{units}}, {{units}}] },
              "training": {
                "epochs": {{epochs}}, "batchSize": {{batchSize}},
                "optimizer": { "kind": "adamw" }, "schedule": { "kind": "cosine", "learningRate": {{(isLong ? "0.002" : "0.001")}} }
              },
              "regularization": { "weightDecay": 0.1, "dropout": { "rate": {{(isLong && !isShort ? "0.2" : "0.3")}} } }
            }
            """)!.AsObject();
    }
}
