namespace DistributedEnsemble.Cluster.Tests;

/// <summary>Small runs that use everything that could differ, and that take some seconds.</summary>
internal static class Specs
{
    /// <summary>The same members, which stop when the validation rows say so.</summary>
    public static string Stopping(string name, int patience, int hidden = 33) => Of(name, epochs: 5000, hidden: hidden).Replace(
        "\"batchSize\"", $"\"earlyStopping\": {{ \"patience\": {patience}, \"everySteps\": 20 }}, \"batchSize\"");

    /// <summary>Members of different networks, steps and dropout, each with rows of its own.</summary>
    public static string Different(string name, int epochs) => Of(name, members: 4, epochs: epochs).Replace("\"dataset\": \"digits\"", "\"dataset\": \"digits\", \"folds\": 3, \"bootstrap\": true").Replace(
        "\"regularization\"", $$"""
        "variants": [
          { "model": { "hidden": [60] }, "training": { "optimizer": { "kind": "adamw" } } },
          { "training": { "epochs": {{epochs * 2}}, "batchSize": 150 }, "regularization": { "dropout": null } },
          { "model": { "kind": "tabm", "submodels": 3, "hidden": [20] }, "regularization": { "dropout": { "repeats": 2 } } },
          { "model": { "kind": "lenet" }, "training": { "epochs": {{epochs / 8}} }, "regularization": { "dropout": { "spatial": true } } }
        ],
        "regularization"
        """);

    /// <summary>Long runs of short steps on a table's file.</summary>
    public static string OnTable(string name, string path, int epochs) => Of(name, epochs: epochs)
        .Replace("\"digits\"", $"\"{path}\"").Replace("\"batchSize\": 100", "\"batchSize\": 8, \"earlyStopping\": null").Replace("\"everySteps\": 50", "\"everySteps\": 5000").Replace("\"everySteps\": 7", "\"everySteps\": 700");

    public static string Of(string name, int members = 3, int epochs = 40, int seed = 7, int hidden = 33) => $$"""
        {
          "name": "{{name}}", "seed": {{seed}}, "members": {{members}},
          "data": { "dataset": "digits" },
          "model": { "hidden": [{{hidden}}] },
          "training": { "epochs": {{epochs}}, "batchSize": 100, "schedule": { "learningRate": 0.05 } },
          "regularization": { "l2": 1e-4, "dropout": { "rate": 0.3 } },
          "averaging": { "decay": 0.99, "everySteps": 50 },
          "snapshots": { "perMember": 3 },
          "checkpoints": { "everySeconds": 1 },
          "logging": { "everySteps": 7 }
        }
        """;
}
