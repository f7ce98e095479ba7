namespace DistributedEnsemble.Reports.Experiments;

/// <summary>A model, or an average of models, that an experiment measures.</summary>
/// <param name="Name">As the tables name it.</param>
/// <param name="Arm">What it was trained by.</param>
/// <param name="MembersEach">Members whose training one of it takes.</param>
/// <param name="Each">All that a seed gives of it; their measures are averaged.</param>
public sealed record Subject(string Name, string Arm, int MembersEach, Func<SeedModels, IReadOnlyList<Answers>> Each)
{
    /// <summary>One for each member of the arm.</summary>
    public static Subject OfMembers(string name, string arm, Func<TrainedMember, Answers> one) =>
        new(name, arm, 1, models => [.. models[arm].Select(one)]);

    /// <summary>One of all members of the arm.</summary>
    public static Subject OfEnsemble(string name, string arm, int members, Func<IReadOnlyList<TrainedMember>, Answers> all) =>
        new(name, arm, members, models => [all(models[arm])]);
}
