using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training.Tests.Networks;

/// <summary>Networks of one's own: TorchSharp modules.</summary>
public sealed class ModuleTests
{
    private const string Mine = """
        {
          "seed": 5, "members": 2, "data": { "dataset": "digits" }, "model": { "kind": "mine" },
          "training": { "epochs": 2, "batchSize": 100, "schedule": { "kind": "cosine", "learningRate": 0.05 } }
        }
        """;

    private static Module<Tensor, Tensor> Mlp(IReadOnlyList<long> shape, int outputs, EnsembleSpec spec) =>
        Sequential(("flat", Flatten()), ("hidden", Linear(64, 20)), ("relu", ReLU()), ("last", Linear(20, outputs)));

    [Fact]
    public void A_module_that_is_an_mlp_follows_the_mlps_losses()
    {
        var module = PlanOf(Mlp);
        var mlp = Plans.Of(Mine.Replace("\"kind\": \"mine\"", "\"kind\": \"mlp\", \"hidden\": [20]"), ("logging.everySteps", "1"));
        using var mine = new MemberTraining(module, 1);
        using var start = mine.CopyWeights();
        using var same = new MemberCheckpoint(0, new Weights(mlp.Network.Layout), []);
        start.Parameters.Span.CopyTo(same.Weights.Parameters.Span);
        using var theirs = new MemberTraining(mlp, 1, same);

        while (mine.Step < module.Steps) Assert.Equal(theirs.Advance()!.Loss, mine.Advance()!.Loss, 1e-5f);
    }

    [Fact]
    public void Two_members_differ_and_a_checkpoint_goes_on_exactly()
    {
        var plan = PlanOf(BatchNormed);
        using var training = new MemberTraining(plan, 0);
        training.TrainTo(plan, 5);
        using var checkpoint = training.CopyCheckpoint();
        using var resumed = new MemberTraining(plan, 0, checkpoint);
        using var other = new MemberTraining(plan, 1);

        var end = training.TrainTo(plan, plan.Steps);

        Assert.Equal(end, resumed.TrainTo(plan, plan.Steps));
        Assert.NotEqual(end, other.TrainTo(plan, plan.Steps));
        Assert.Contains(checkpoint.Weights.Statistics.ToArray(), value => value is not (0 or 1));
    }

    [Theory]
    [InlineData("shape", "its module gives [2, 11] for two rows: it must give [2, 10]")]
    [InlineData("none", "its module has no parameters: there is nothing to train")]
    [InlineData("throws", "its module cannot be made: no such thing")]
    [InlineData("dropout", "its module has Dropout, whose masks come from torch's one generator and can not be drawn again. Leave it out")]
    public void A_bad_module_gets_one_line(string fault, string reason)
    {
        var error = Assert.Throws<SpecException>(() => PlanOf((_, outputs, _) => fault switch
        {
            "shape" => Sequential(Flatten(), Linear(64, outputs + 1)),
            "none" => Flatten(),
            "dropout" => Sequential(Flatten(), Linear(64, outputs), Dropout(0.5)),
            _ => throw new InvalidOperationException("no such thing"),
        }));

        Assert.Equal($"model.kind is \"mine\": {reason}.", error.Message);
    }

    private static Module<Tensor, Tensor> BatchNormed(IReadOnlyList<long> shape, int outputs, EnsembleSpec spec) =>
        Sequential(Conv2d(1, 4, 3), BatchNorm2d(4), ReLU(), Flatten(), Linear(4 * 36, outputs));

    private static TrainingPlan PlanOf(ModuleDesign design)
    {
        var (digits, networks) = (new Digits(), new NetworkRegistry());
        networks.AddModule("mine", design);
        var spec = SpecDocument.Parse(Mine).With("logging.everySteps", "1").Resolve(digits.Defaults, networks.Kinds);
        return new TrainingPlan(spec, digits.Load(new DataFolders()), networks);
    }
}
