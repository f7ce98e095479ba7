using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Training.Tests.Members;

/// <summary>
/// Each kind of network with each option that a step depends on: a member that is taken up in its midst from a checkpoint, on another number
/// of threads and with other vectors, ends with the weights of one that was left alone.
/// </summary>
public sealed class CombinationTests
{
    /// <summary>Of 359 rows, eight steps in two epochs, the last of each of smaller batch.</summary>
    private const string Digits = """
        {
          "seed": 11, "members": 3, "data": { "dataset": "digits", "validationFraction": 0.75 }, "logging": { "everySteps": 3 },
          "training": { "epochs": 2, "batchSize": 100, "schedule": { "kind": "cosine", "learningRate": 0.01 } }
        }
        """;

    private static readonly Dictionary<string, (string Spec, (string, string)[] Settings)> s_kinds = new()
    {
        ["mlp"] = (Digits, [("model.kind", "mlp"), ("model.hidden", "[37,20]")]),
        ["tabm"] = (Digits, [("model.kind", "tabm"), ("model.hidden", "[21,18]"), ("model.submodels", "5")]),
        ["lenet"] = (Digits, [("model.kind", "lenet")]),
        ["resnet"] = (Digits, [("model.kind", "resnet"), ("model.depth", "8"), ("model.width", "4")]),
        ["mlp of columns"] = (MixedSpecs.Class, []),
        ["mlp of a number"] = (MixedSpecs.Number, [("model.numericEmbedding", "piecewise-linear")]),
        ["tabm of a number"] = (MixedSpecs.TabMNumber, []),
    };

    private static readonly Dictionary<string, (string, string)[]> s_options = new()
    {
        ["nothing"] = [("regularization.dropout", "null"), ("regularization.weightDecay", "0")],
        ["inverted dropout"] = [("regularization.dropout.rate", "0.3"), ("regularization.dropout.kind", "inverted"), ("regularization.dropout.inputRate", "0.1")],
        ["vanilla dropout"] = [("regularization.dropout.rate", "0.3"), ("regularization.dropout.kind", "vanilla")],
        ["spatial dropout"] = [("regularization.dropout.rate", "0.3"), ("regularization.dropout.spatial", "true")],
        ["repeated masks"] = [("regularization.dropout.rate", "0.3"), ("regularization.dropout.repeats", "3")],
        ["l2"] = [("regularization.l2", "0.001")],
        ["adam"] = [("training.optimizer.kind", "adam"), ("regularization.weightDecay", "0")],
        ["adamw and decay"] = [("training.optimizer.kind", "adamw"), ("regularization.weightDecay", "0.05")],
        ["cycles and snapshots"] = [("training.schedule.kind", "cyclic-cosine"), ("training.schedule.cycles", "2"), ("snapshots.perMember", "2")],
        ["an average"] = [("averaging.decay", "0.9"), ("averaging.everySteps", "2")],
        ["early stopping"] = [("training.earlyStopping.patience", "1"), ("training.earlyStopping.everySteps", "2")],
        ["a bootstrap"] = [("data.bootstrap", "true")],
        ["folds"] = [("data.folds", "3"), ("data.validationFraction", "0.1")],
        ["columns"] = [("data.columns", "0.6")],
        ["balanced classes"] = [("training.classWeights", "balanced")],
        ["squared error"] = [("training.likelihood", "squared-error")],
    };

    public static TheoryData<string, string> All
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (var (kind, option) in Pairs()) all.Add(kind, option);
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void A_member_taken_up_in_its_midst_on_other_threads_ends_with_the_same_weights(string kind, string option)
    {
        var (plan, onThree) = (Plans.Of(Json(kind, option)), Plans.Of(Json(kind, option, ("threadsPerMember", "3"))));
        var (steps, perEpoch) = (plan.Of(1).Steps, plan.Of(1).StepsPerEpoch);
        var midst = steps / 2 % perEpoch == 0 ? steps / 2 - 1 : steps / 2;
        Assert.NotEqual(0, midst % perEpoch);
        using var alone = new MemberTraining(plan, 1);
        using var first = new MemberTraining(onThree, 1);
        first.TrainTo(onThree, midst);
        using var checkpoint = first.CopyCheckpoint();
        using var rest = new MemberTraining(plan, 1, checkpoint);

        Assert.Equal(alone.TrainTo(plan, steps), rest.TrainTo(plan, steps));
        Assert.Equal(alone.Step, rest.Step);
    }

    [Fact]
    public Task Shorter_vectors_change_nothing() => AssertSameAsync(OfVectors(), "DOTNET_EnableAVX512=0", "DOTNET_EnableAVX512F=0");

    /// <summary>Without the instruction for fused multiply-adds, too, which makes convolutions slow.</summary>
    [Fact]
    public Task Neither_do_the_shortest() => AssertSameAsync(OfVectors().Where(pair => pair.Kind.Contains(" of ", StringComparison.Ordinal)), "DOTNET_EnableAVX2=0");

    private static async Task AssertSameAsync(IEnumerable<(string Kind, string Option)> pairs, params string[] switches)
    {
        string[] specs = [.. pairs.Select(pair => Json(pair.Kind, pair.Option))];
        var here = specs.Select(spec =>
        {
            var plan = Plans.Of(spec);
            using var training = new MemberTraining(plan, 0);
            return training.TrainTo(plan, plan.Of(0).Steps);
        });

        Assert.Equal(here, await OtherProcess.TrainAsync(specs, switches));
    }

    /// <summary>Each kind with the options that have kernels of their own.</summary>
    private static IEnumerable<(string Kind, string Option)> OfVectors() =>
        Pairs().Where(pair => pair.Option is "inverted dropout" or "l2" or "adamw and decay" or "an average" or "squared error");

    /// <summary>An option belongs to some kinds.</summary>
    private static IEnumerable<(string Kind, string Option)> Pairs() =>
        from kind in s_kinds.Keys
        from option in s_options.Keys
        where option switch
        {
            "spatial dropout" => kind is "lenet" or "resnet",
            "columns" => kind.Contains(" of ", StringComparison.Ordinal),
            "balanced classes" => !kind.EndsWith("number", StringComparison.Ordinal),
            "squared error" => kind.EndsWith("number", StringComparison.Ordinal),
            _ => true,
        }
        select (kind, option);

    /// <summary>The spec's whole text: another process is given it.</summary>
    private static string Json(string kind, string option, params (string, string)[] more) =>
        Plans.Spec(s_kinds[kind].Spec, [.. s_kinds[kind].Settings, .. s_options[option], .. more]).ToJson();
}
