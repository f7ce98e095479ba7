namespace DistributedEnsemble.Cluster.Tests;

/// <summary>Small runs that use everything that could differ, and that take some seconds.</summary>
internal static class Specs
{
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
