using System.Text.Json.Nodes;

namespace DistributedEnsemble.Training.Tables;

/// <summary>What a spec says for a table unless its author says otherwise, by the size of the table.</summary>
internal static class TableDefaults
{
    public static JsonObject For(long rows) => JsonNode.Parse(
        """
        {
          "model": { "kind": "mlp", "hidden": [128, 128] },
          "training": { "epochs": 50, "batchSize": 64, "optimizer": { "kind": "adamw" }, "schedule": { "kind": "cosine", "learningRate": 0.002 } },
          "regularization": { "weightDecay": 0.03 }
        }
        """)!.AsObject();
}
