namespace DistributedEnsemble.Specs;

/// <summary>The paths that rules are about.</summary>
internal static class SpecPaths
{
    public const string Dataset = "data.dataset";
    public const string Members = "members";
    public const string Variants = "variants";
    public const string Search = "search";
    public const string Folds = "data.folds";
    public const string Bootstrap = "data.bootstrap";
    public const string ValidationFraction = "data.validationFraction";
    public const string EarlyStopping = "training.earlyStopping";
    public const string Epochs = "training.epochs";
    public const string Milestones = "training.schedule.milestones";
    public const string Model = "model";
    public const string ModelKind = "model.kind";
    public const string Optimizer = "training.optimizer";
    public const string OptimizerKind = "training.optimizer.kind";
    public const string ScheduleKind = "training.schedule.kind";
    public const string LearningRate = "training.schedule.learningRate";
    public const string WeightDecay = "regularization.weightDecay";
    public const string Cycles = "training.schedule.cycles";
    public const string Snapshots = "snapshots";
    public const string PerMember = "snapshots.perMember";
}
