using System.Collections.Concurrent;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Randomness;

namespace DistributedEnsemble.Training.Tests;

/// <summary>Plans of small specs on the built-in data.</summary>
internal static class Plans
{
    private static readonly DatasetRegistry s_datasets = new(new Waves(), new MixedTables());
    private static readonly ConcurrentDictionary<string, Dataset> s_loaded = new();

    /// <summary>An epoch of 13 steps on the digits, the last one of smaller batch; dropout, input dropout, L2 and momentum.</summary>
    public const string Small = """
        {
          "name": "small", "seed": 7, "members": 3,
          "data": { "dataset": "digits" },
          "model": { "kind": "mlp", "hidden": [19, 13] },
          "training": { "epochs": 3, "batchSize": 100, "schedule": { "learningRate": 0.05 } },
          "regularization": { "l2": 1e-4, "dropout": { "rate": 0.3, "inputRate": 0.1 } },
          "logging": { "everySteps": 7 }
        }
        """;

    /// <summary>A regression in 18 steps, with all of that, too.</summary>
    public const string Number = """
        {
          "name": "number", "seed": 7, "members": 3,
          "data": { "dataset": "waves" },
          "model": { "kind": "mlp", "hidden": [19, 13] },
          "training": { "epochs": 3, "batchSize": 80, "schedule": { "learningRate": 0.02 } },
          "regularization": { "l2": 1e-4, "dropout": { "rate": 0.3, "inputRate": 0.1 } },
          "logging": { "everySteps": 7 }
        }
        """;

    /// <summary>The SHA-256 of the final model.</summary>
    public static string FinalSha256(this MemberTraining training)
    {
        using var final = training.CopyFinal();
        return final.Sha256();
    }

    /// <param name="settings">Keys over those of the text, as --set has them.</param>
    public static EnsembleSpec Spec(string json, params (string Path, string Value)[] settings)
    {
        var document = SpecDocument.Parse(json).With(settings);
        return document.Resolve(s_datasets.Resolve(document.Dataset).Defaults);
    }

    public static TrainingPlan Of(string json, params (string Path, string Value)[] settings) => Of(json, null, settings);

    public static TrainingPlan Of(string json, RandomSource? random, params (string Path, string Value)[] settings)
    {
        var spec = Spec(json, settings);
        var dataset = s_loaded.GetOrAdd($"{spec.Data.Dataset} {spec.Data.Target} {spec.Data.HasOutOfFold} {spec.Data.ValidationFraction} {spec.Seed}", _ => s_datasets.Resolve(spec.Data.Dataset).Load(new DataFolders(), spec, null));
        return new TrainingPlan(spec, dataset, new NetworkRegistry(), random);
    }

    /// <summary>Trains until a step or the end.</summary>
    /// <returns>The SHA-256 of the weights there.</returns>
    public static string TrainTo(this MemberTraining training, TrainingPlan plan, int step)
    {
        while (training.Step < step && !training.HasEnded) training.Advance();
        if (training.HasEnded) return training.FinalSha256();
        using var weights = training.CopyWeights();
        return weights.Sha256();
    }
}
