using System.Globalization;

namespace DistributedEnsemble.Specs;

/// <summary>The defaults that depend on kinds; the constant ones stand in the records.</summary>
internal static class SpecDefaults
{
    private const string LeNet = "lenet";

    public static EnsembleSpec For(string modelKind, OptimizerKind optimizer) => Of(modelKind, optimizer, LearningRateOf(modelKind, optimizer));

    /// <summary>Of members that a former program began: their learning rate did not depend on the kind of network.</summary>
    public static EnsembleSpec Former(string modelKind, OptimizerKind optimizer) => Of(modelKind, optimizer, OptimizerSpec.LearningRateOf(optimizer));

    /// <summary>
    /// Of a convolution's filters each place of an image adds to the gradient, and a lenet has no batch norm that would take that back:
    /// with the learning rate of an mlp some of ten end at chance.
    /// </summary>
    public static double LearningRateOf(string modelKind, OptimizerKind optimizer) =>
        optimizer is OptimizerKind.Sgd && modelKind == LeNet ? OptimizerSpec.LearningRateOf(optimizer) / 2 : OptimizerSpec.LearningRateOf(optimizer);

    /// <summary>What a learning rate that is meant for one kind of network is multiplied by for another; 1 of a kind that only its host knows.</summary>
    public static double LearningRateRatio(string from, string to, OptimizerKind optimizer) =>
        ModelSpec.BuiltInKinds.Contains(from) && ModelSpec.BuiltInKinds.Contains(to) ? LearningRateOf(to, optimizer) / LearningRateOf(from, optimizer) : 1;

    private static EnsembleSpec Of(string modelKind, OptimizerKind optimizer, double learningRate) => new()
    {
        Model = ModelSpec.Of(modelKind),
        Training = new() { Optimizer = new() { Kind = optimizer }, Schedule = new() { LearningRate = learningRate } },
    };

    public static SpecList<int> Milestones(int epochs) =>
        [.. new[] { epochs / 2, (int)(epochs * 3L / 4) }.Where(milestone => milestone > 0).Distinct()];

    public static string InWords(SpecKey key) => key.Path switch
    {
        SpecPaths.LearningRate => string.Join(", ", Enum.GetValues<OptimizerKind>()
            .GroupBy(OptimizerSpec.LearningRateOf, kind => SpecNames.OfChoice(kind))
            .Select(kinds => $"{kinds.Key} with {SpecNames.List([.. kinds], "and")}")
            .Append($"{LearningRateOf(LeNet, OptimizerKind.Sgd).ToString(CultureInfo.InvariantCulture)} for a {LeNet} with {SpecNames.OfChoice(OptimizerKind.Sgd)}")),
        _ when key.Section!.Type == typeof(ModelSpec) && key.Kinds is [var kind, ..] => SpecValue.InWords(key.ValueIn(ModelSpec.Of(kind))),
        _ => SpecValue.InWords(key.ValueIn(key.Section.New())),
    };
}
