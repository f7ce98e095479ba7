namespace DistributedEnsemble.Training.Tests;

/// <summary>Small runs on <see cref="MixedTables"/>.</summary>
internal static class MixedSpecs
{
    /// <summary>A class of a table with columns of each kind, in 15 steps, with momentum of AdamW, and vectors in the place of levels.</summary>
    public const string Class = """
        {
          "name": "mixed-class", "seed": 7, "members": 3,
          "data": { "dataset": "mixed", "target": "label" },
          "model": { "kind": "mlp", "hidden": [11, 7], "numericEmbedding": null },
          "training": { "epochs": 5, "batchSize": 30, "optimizer": { "kind": "adamw" }, "schedule": { "learningRate": 0.01 }, "earlyStopping": null },
          "regularization": { "weightDecay": 0.01, "dropout": { "rate": 0.3, "inputRate": 0.1 } },
          "logging": { "everySteps": 7 }
        }
        """;

    /// <summary>A number of that table.</summary>
    public static string Number { get; } = OfNumber(Class);

    /// <summary>That class by submodels, of numbers that are embedded.</summary>
    public static string TabMClass { get; } = WithSubmodels(Class);

    /// <summary>That number by submodels, of numbers that are embedded.</summary>
    public static string TabMNumber { get; } = WithSubmodels(Number);

    /// <summary>The same run on the number.</summary>
    public static string OfNumber(string json) => json.Replace("-class\"", "-number\"").Replace("\"target\": \"label\"", "\"target\": \"price\"");

    /// <summary>The same run by three submodels in each member, of numbers that are embedded.</summary>
    public static string WithSubmodels(string json) => json.Replace("mixed-", "tabm-")
        .Replace("\"kind\": \"mlp\"", "\"kind\": \"tabm\", \"submodels\": 3").Replace("\"numericEmbedding\": null", "\"numericEmbedding\": \"piecewise-linear\"");
}
