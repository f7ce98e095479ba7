using System.Text;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Tests.Specs;

public sealed class SpecFuzzTests
{
    private const string Everything = """
        {
          // everything at once
          "name": "all", "seed": 3, "members": 4, "threadsPerMember": 1, "priority": 3,
          "data": { "dataset": "digits", "validationFraction": 0.1 },
          "model": { "kind": "mlp", "hidden": [32, 16] },
          "training": {
            "epochs": 6, "batchSize": 32, "optimizer": { "kind": "adamw", "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8 },
            "schedule": { "kind": "cyclic-cosine", "learningRate": 0.1, "cycles": 3 }, "kernels": "own"
          },
          "regularization": { "l2": 1e-4, "weightDecay": 0.01, "dropout": { "rate": 0.5, "inputRate": 0.1, "kind": "inverted" } },
          "averaging": { "decay": 0.99, "everySteps": 10, "reset": "cycle" },
          "snapshots": { "perMember": 3 }, "checkpoints": { "everySeconds": 30 }, "logging": { "everySteps": 50 },
          "prediction": { "from": "snapshots", "select": "last:2", "monteCarloSamples": 20 }
        }
        """;

    [Fact]
    public void Whatever_is_in_a_spec_only_the_documented_exception_escapes() => Fuzz.Run(
        Encoding.UTF8.GetBytes(Everything),
        bytes => SpecDocument.Parse(Encoding.UTF8.GetString(bytes)).Resolve(new Digits().Defaults), typeof(SpecException));

    [Fact]
    public void A_resolved_spec_that_was_damaged_lets_only_the_documented_exception_escape() => Fuzz.Run(
        Encoding.UTF8.GetBytes(SpecDocument.Parse(Everything).Resolve(new Digits().Defaults).ToJson()),
        bytes => EnsembleSpec.FromJson(Encoding.UTF8.GetString(bytes)), typeof(SpecException));

    [Fact]
    public void Whatever_spec_is_accepted_is_planned_or_refused_by_name() => Fuzz.Run(
        Encoding.UTF8.GetBytes(Everything),
        bytes =>
        {
            var spec = SpecDocument.Parse(Encoding.UTF8.GetString(bytes)).Resolve(new Digits().Defaults);
            if (spec.Data.Dataset == "digits") _ = new TrainingPlan(spec, s_digits, new NetworkRegistry());
        },
        typeof(SpecException));

    private static readonly Dataset s_digits = new Digits().Load(new DataFolders(null));
}
