namespace DistributedEnsemble.Benchmarks.Own;

/// <summary>A goal, and what was measured.</summary>
/// <param name="Measured">A ratio, taken within a round, unless the name says what it is.</param>
internal sealed record Goal(string Name, double? AtLeast, double? AtMost, Spread Measured)
{
    public bool IsMet => !(Measured.Median < AtLeast) && !(Measured.Median > AtMost);

    public static Goal Least(string name, double least, Spread measured) => Told(new(name, least, null, measured));

    public static Goal Most(string name, double most, Spread measured) => Told(new(name, null, most, measured));

    private static Goal Told(Goal goal)
    {
        Console.Error.WriteLine($"{goal.Name}: {goal.Measured.Median} ({goal.Measured.Lowest} to {goal.Measured.Highest})");
        return goal;
    }
}

/// <param name="Measured">What is behind the goals, by section.</param>
/// <param name="LoadAverageBefore"><inheritdoc cref="Neighbours.LoadAverage" path="/summary"/></param>
internal sealed record OwnResults(string Benchmark, double? LoadAverageBefore, int Rounds, IReadOnlyList<Goal> Goals, IReadOnlyDictionary<string, object> Measured);
