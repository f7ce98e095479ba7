using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>What every suite measures, and what is claimed of it.</summary>
internal static class SuiteSubjects
{
    private const string Single = "single model", Ensemble = "ten members", Wide = "one wide network",
        Snapshots = "snapshots of one run", CyclicFinal = "cyclic run, last model", Cyclic = "cyclic snapshots", CyclicLast = "cyclic snapshots, last 3",
        CosineEma = "EMA, cosine", ConstantLast = "constant rate, last weights", ConstantEma = "EMA, constant rate",
        CyclicEma = "EMA, cyclic, never reset", CycleEma = "EMA, cyclic, reset each cycle", L2 = "L2", WeightDecay = "weight decay",
        Dropout = "dropout, weight scaling", MonteCarlo = "dropout, 50 Monte-Carlo masks", Vanilla = "vanilla dropout",
        AllFinal = "everything, one model", AllSnapshots = "everything, 50 snapshots", AllMonteCarlo = "everything, 50 snapshots × 50 masks",
        AllEma = "everything, 10 EMA models × 50 masks", Greedy = "everything, greedy among 50", LeNetSingle = "LeNet, single model",
        LeNetEnsemble = "LeNet, ten members";

    private const string SameSteps = "the same training";

    public static IReadOnlyList<Subject> All { get; } =
    [
        Subject.OfMembers(Single, "base", member => member.Final),
        Finals(Ensemble, "base"),
        Subject.OfMembers(Wide, "wide", member => member.Final),
        Finals(LeNetEnsemble, "lenet"),
        Subject.OfMembers(LeNetSingle, "lenet", member => member.Final),
        Subject.OfMembers(Snapshots, "base", member => Average([member], model => model.Scaled)),
        Subject.OfMembers(CyclicFinal, "cyclic", member => member.Final),
        Subject.OfMembers(Cyclic, "cyclic", member => Average([member], model => model.Scaled)),
        Subject.OfMembers(CyclicLast, "cyclic", member => Answers.Average(member.Snapshots.TakeLast(3).Select(model => model.Scaled))),
        Subject.OfMembers(ConstantLast, "constant", member => member.Final),
        Subject.OfMembers(ConstantEma, "constant", member => member.Ema[AveragingReset.Never].Scaled),
        Subject.OfMembers(CosineEma, "base", member => member.Ema[AveragingReset.Never].Scaled),
        Subject.OfMembers(CyclicEma, "cyclic", member => member.Ema[AveragingReset.Never].Scaled),
        Subject.OfMembers(CycleEma, "cyclic", member => member.Ema[AveragingReset.Cycle].Scaled),
        Subject.OfMembers(L2, "l2", member => member.Final),
        Subject.OfMembers(WeightDecay, "weight-decay", member => member.Final),
        Subject.OfMembers(Dropout, "dropout", member => member.Final),
        Subject.OfMembers(MonteCarlo, "dropout", member => member.Snapshots[^1].Sampled),
        Subject.OfMembers(Vanilla, "vanilla-dropout", member => member.Final),
        Subject.OfMembers(AllFinal, "everything", member => member.Final),
        Subject.OfEnsemble(AllSnapshots, "everything", Suite.Members, members => Average(members, model => model.Scaled)),
        Subject.OfEnsemble(AllMonteCarlo, "everything", Suite.Members, members => Average(members, model => model.Sampled)),
        Subject.OfEnsemble(AllEma, "everything", Suite.Members, members => Answers.Average(
            members.Select(member => member.Ema[AveragingReset.Cycle].Sampled))),
        new(Greedy, "everything", Suite.Members, models => [SelectGreedily(models)]),
    ];

    public static IReadOnlyList<Comparison> Comparisons { get; } =
    [
        new("Ten members gain about 2 points of accuracy over a single one (MLP)", Single, Ensemble, "ten times the training", 0.02),
        new("Ten members gain about 2 points of accuracy over a single one (LeNet)", LeNetSingle, LeNetEnsemble, "ten times the training", 0.02),
        new("Ten members beat one larger network of the same total size", Wide, Ensemble, "the same weights and about the same arithmetic"),
        new("Snapshots of one run help: their average beats the last of them", Single, Snapshots, SameSteps),
        new("Cyclic snapshots beat a single model", Single, Cyclic, SameSteps),
        new("Cyclic snapshots beat plain snapshots", Snapshots, Cyclic, SameSteps),
        new("The last three cyclic snapshots beat plain snapshots", Snapshots, CyclicLast, SameSteps),
        new("Polyak averaging beats the last weights, at a constant rate", ConstantLast, ConstantEma, SameSteps),
        new("Polyak averaging beats the last weights, with a cosine schedule", Single, CosineEma, SameSteps),
        new("An average over restarts is worse than one that starts with each cycle", CyclicEma, CycleEma, SameSteps),
        new("L2 beats no regularization", Single, L2, SameSteps),
        new("Decoupled weight decay beats no regularization", Single, WeightDecay, SameSteps),
        new("Dropout beats no dropout", Single, Dropout, SameSteps),
        new("Inverted dropout beats vanilla dropout", Vanilla, Dropout, SameSteps),
        new("Monte-Carlo dropout beats weight scaling", Dropout, MonteCarlo, "the same training, 50 forwards for 1"),
        new("Everything together beats ten members", Ensemble, AllSnapshots, "the same training, 50 forwards for 10"),
        new("Monte-Carlo masks improve everything together", AllSnapshots, AllMonteCarlo, "the same training, 2,500 forwards for 50"),
        new("Greedy selection improves everything together", AllSnapshots, Greedy, "the same training, fewer forwards"),
    ];

    public static IReadOnlyList<SizeCurve> Curves { get; } = [new("MLP", "base"), new("LeNet", "lenet")];

    private static Subject Finals(string name, string arm) =>
        Subject.OfEnsemble(name, arm, Suite.Members, members => Answers.Average(members.Select(member => member.Final)));

    private static Answers Average(IEnumerable<TrainedMember> members, Func<ModelAnswers, Answers> answers) =>
        Answers.Average(members.SelectMany(member => member.Snapshots).Select(answers));

    private static Answers SelectGreedily(SeedModels models)
    {
        Answers[] candidates = [.. models["everything"].SelectMany(member => member.Snapshots).Select(model => model.Scaled)];
        var targets = models.Splits.Samples(DataPart.Validation).Targets;
        var multiplicities = GreedySelection.Select([.. candidates.Select(model => models.Splits.Task.Likelihoods(model.Validation, targets))]);
        return Answers.Average(candidates, multiplicities);
    }
}
