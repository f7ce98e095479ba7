namespace DistributedEnsemble.Specs;

/// <summary>The defaults that depend on kinds; the constant ones stand in the records.</summary>
internal static class SpecDefaults
{
    public static EnsembleSpec For(string modelKind, OptimizerKind optimizer) => new()
    {
        Model = ModelSpec.Of(modelKind),
        Training = new()
        {
            Optimizer = new() { Kind = optimizer },
            Schedule = new() { LearningRate = OptimizerSpec.LearningRateOf(optimizer) },
        },
    };

    public static SpecList<int> Milestones(int epochs) =>
        [.. new[] { epochs / 2, (int)(epochs * 3L / 4) }.Where(milestone => milestone > 0).Distinct()];

    public static string InWords(SpecKey key) => key.Path switch
    {
        SpecPaths.LearningRate => string.Join(", ", Enum.GetValues<OptimizerKind>()
            .GroupBy(OptimizerSpec.LearningRateOf, kind => SpecNames.OfChoice(kind))
            .Select(kinds => $"{kinds.Key} with {SpecNames.List([.. kinds], "and")}")),
        _ when key.Section!.Type == typeof(ModelSpec) && key.Kinds is [var kind, ..] => SpecValue.InWords(key.ValueIn(ModelSpec.Of(kind))),
        _ => SpecValue.InWords(key.ValueIn(key.Section.New())),
    };
}
