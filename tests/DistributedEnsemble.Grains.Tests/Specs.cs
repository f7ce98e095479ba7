using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tests;

namespace DistributedEnsemble.Grains.Tests;

/// <summary>Small runs that use everything: dropout, L2, momentum, a smaller last batch, snapshots on the way.</summary>
internal static class Specs
{
    public const string Small = """
        {
          "name": "small", "seed": 7, "members": 6,
          "data": { "dataset": "digits" },
          "model": { "hidden": [33] },
          "training": { "epochs": 3, "batchSize": 100, "schedule": { "learningRate": 0.05 } },
          "regularization": { "l2": 1e-4, "dropout": { "rate": 0.3, "inputRate": 0.1 } },
          "snapshots": { "perMember": 2 },
          "logging": { "everySteps": 7 }
        }
        """;

    /// <summary>A regression that uses everything, too.</summary>
    public const string Number = """
        {
          "name": "number", "seed": 7, "members": 6,
          "data": { "dataset": "waves" },
          "model": { "hidden": [33] },
          "training": { "epochs": 3, "batchSize": 80, "schedule": { "learningRate": 0.02 } },
          "regularization": { "l2": 1e-4, "dropout": { "rate": 0.3, "inputRate": 0.1 } },
          "averaging": { "decay": 0.9, "everySteps": 5 },
          "snapshots": { "perMember": 2 },
          "logging": { "everySteps": 7 }
        }
        """;

    /// <summary>A class of a table with columns of each kind.</summary>
    public static string MixedClass { get; } = MixedSpecs.Class.Replace("\"members\": 3", "\"members\": 4").Replace("\"logging\"", "\"snapshots\": { \"perMember\": 2 },\n  \"logging\"");

    /// <summary>A number of that table.</summary>
    public static string MixedNumber { get; } = MixedSpecs.OfNumber(MixedClass);

    /// <summary>That class by submodels, of numbers that are embedded.</summary>
    public static string TabMClass { get; } = MixedSpecs.WithSubmodels(MixedClass);

    /// <summary>The number by submodels of some of the columns each, on rows of their own.</summary>
    public static string TabMNumber { get; } = MixedSpecs.WithSubmodels(MixedNumber).Replace("\"target\": \"price\"", "\"target\": \"price\", \"folds\": 2, \"columns\": 0.5");

    /// <summary>Members that differ in network, optimizer, steps, rows and features, each with averages and folds of its own.</summary>
    public static string Different { get; } = MixedClass.Replace("mixed-class", "different").Replace("\"members\": 4", "\"members\": 5")
        .Replace("\"target\": \"label\"", "\"target\": \"label\", \"folds\": 3, \"bootstrap\": true")
        .Replace("\"snapshots\"", """
            "variants": [
              { "model": { "hidden": [9] }, "training": { "epochs": 9, "batchSize": 20 }, "data": { "columns": 0.5 } },
              { "training": { "optimizer": { "kind": "sgd" }, "schedule": { "learningRate": 0.05 } }, "regularization": { "dropout": null } },
              { "training": { "epochs": 2 }, "snapshots": { "perMember": 3 } },
              { "model": { "kind": "tabm", "submodels": 2, "hidden": [6] }, "data": { "columns": 0.7 } }
            ],
            "averaging": { "decay": 0.9, "everySteps": 4 },
            "snapshots"
            """);

    /// <summary>Members that stop early, each at another step, beside snapshots and averages.</summary>
    public static string Stopping { get; } = Small.Replace("\"small\"", "\"stopping\"").Replace(
        "\"epochs\": 3", "\"epochs\": 30, \"earlyStopping\": { \"patience\": 4, \"everySteps\": 6 }").Replace("\"learningRate\": 0.05", "\"kind\": \"constant\", \"learningRate\": 0.3")
        .Replace("\"perMember\": 2", "\"perMember\": 20").Replace("\"snapshots\"", "\"averaging\": { \"decay\": 0.9, \"everySteps\": 5 }, \"snapshots\"");

    /// <summary>Channels that are dropped, in rows that are seen twice.</summary>
    public const string Spatial = """
        {
          "name": "spatial", "seed": 7, "members": 3,
          "data": { "dataset": "digits" },
          "model": { "kind": "resnet", "depth": 8, "width": 4 },
          "training": { "epochs": 2, "batchSize": 100, "schedule": { "learningRate": 0.05 } },
          "regularization": { "dropout": { "rate": 0.2, "spatial": true, "repeats": 2 } },
          "prediction": { "monteCarloSamples": 3 }
        }
        """;

    /// <summary>The same network with a snapshot every 13 steps, for <see cref="HeldSnapshots"/>.</summary>
    public static string Held { get; } = Small.Replace("\"epochs\": 3", "\"epochs\": 20").Replace("\"perMember\": 2", "\"perMember\": 20");

    /// <summary>The same network for so long that a test can watch it train.</summary>
    public static string Long { get; } = Small.Replace("\"epochs\": 3", "\"epochs\": 100000");

    public static TrainingPlan Plan(string spec)
    {
        var document = SpecDocument.Parse(spec);
        var registry = new DatasetRegistry(new Waves(), new MixedTables());
        var source = registry.Resolve(document.Dataset);
        var resolved = document.Resolve(source.Defaults);
        return new TrainingPlan(resolved, source.Load(new DataFolders(), resolved, null), new NetworkRegistry());
    }

    /// <summary>(member, step, sha256) of each snapshot, as the sequential reference computes them.</summary>
    public static List<(int Member, int Step, string Sha256)> Reference(string spec, IEnumerable<int>? members = null)
    {
        var snapshots = EnsembleTraining.Run(Plan(spec), members);
        return [.. snapshots.Select(s => (s.Member, s.Step, s.Weights.Sha256()))];
    }

    /// <summary>What the model of a file says of the first test rows, on one torch thread as on a silo: more give other bits.</summary>
    public static double[] Answers(TrainingPlan plan, RunFolder folder, WeightFile file, int rows) => Answers(plan, folder, file, plan.Dataset.Test, rows);

    public static double[] Answers(TrainingPlan plan, RunFolder folder, WeightFile file, Samples samples, int rows)
    {
        TorchSharp.torch.set_num_threads(1);
        using var weights = WeightFiles.LoadWeights(folder, file, plan.Of(0).Network.Layout);
        return BatchedPrediction.OfRows(new SingleModel(plan.Of(0).Network, plan.Task, weights), samples, 0, rows);
    }

    /// <summary>(member, step, sha256) of each member's EMA model, as the sequential reference computes them.</summary>
    public static List<(int Member, int Step, string Sha256)> ReferenceEma(string spec)
    {
        var ema = new List<Snapshot>();
        EnsembleTraining.Run(Plan(spec), ema: ema);
        return [.. ema.Select(s => (s.Member, s.Step, s.Weights.Sha256()))];
    }

    /// <summary>The metrics.jsonl of a member, as the sequential reference computes it.</summary>
    public static string ReferenceLines(string spec, int member)
    {
        var lines = new System.Text.StringBuilder();
        EnsembleTraining.Run(Plan(spec), [member], (_, metrics) => lines.Append(metrics.ToLine()));
        return lines.ToString();
    }

    public static List<(int Member, int Step, string Sha256)> Of(RunStatus status) =>
        [.. status.Snapshots.OrderBy(s => (s.Member, s.Step)).Select(s => (s.Member, s.Step, s.Sha256))];
}
