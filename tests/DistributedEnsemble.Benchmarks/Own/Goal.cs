namespace DistributedEnsemble.Benchmarks.Own;

/// <summary>A goal, and what was measured; or what is measured to judge the goal beside it by.</summary>
/// <param name="Measured">A ratio, taken within a round, unless the name says what it is.</param>
internal sealed record Goal(string Name, double? AtLeast, double? AtMost, Spread Measured)
{
    public bool IsMet => !(Measured.Median < AtLeast) && !(Measured.Median > AtMost);

    public static Goal Least(string name, double least, Spread measured) => Told(new(name, least, null, measured));

    public static Goal Most(string name, double most, Spread measured) => Told(new(name, null, most, measured));

    /// <summary>Something that is no goal.</summary>
    public static Goal Beside(string name, Spread measured) => Told(new(name, null, null, measured));

    private static Goal Told(Goal goal)
    {
        Console.Error.WriteLine($"{goal.Name}: {goal.Measured.Median} ({goal.Measured.Lowest} to {goal.Measured.Highest})");
        return goal;
    }
}

/// <summary>What one part measured: parts may be measured at different times, and each says where it was.</summary>
/// <param name="Measured">What is behind the goals.</param>
/// <param name="LoadAverageBefore"><inheritdoc cref="Neighbours.LoadAverage" path="/summary"/></param>
internal sealed record OwnPart(ReportOrigin Origin, double? LoadAverageBefore, int Rounds, IReadOnlyList<Goal> Goals, object Measured);
