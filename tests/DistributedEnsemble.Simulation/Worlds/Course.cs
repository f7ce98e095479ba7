using System.Globalization;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Averaging;

namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>
/// What a run's members would train undisturbed. Training is a chain of hashes, and an EMA model the chain of what was folded
/// into it, so that a step that is left out, repeated or out of order is seen in every number behind it.
/// </summary>
internal sealed class Course
{
    /// <summary>Steps of a member, and how many times as many at most.</summary>
    private const int MostSteps = 8, MostLength = 4;

    private static readonly string[] s_lines = [.. Enumerable.Range(0, (MostSteps * MostLength) + 1).Select(step =>
        $"{{\"step\":{step},\"epoch\":0,\"learningRate\":0,\"loss\":1,\"l2\":0,\"accuracy\":0}}\n")];

    private readonly ulong[][] _weights, _averages;
    private readonly string[][] _names;
    private readonly int[] _ends, _finals;

    /// <param name="slowness">By what its steps take longer than most do.</param>
    /// <param name="length">By what its steps are more.</param>
    /// <param name="priority">Its weight where lanes are shared.</param>
    public Course(RunKey run, ref Dice dice, int slowness = 1, int length = 1, int priority = 1)
    {
        (Run, Priority) = (run, priority);
        (Members, Steps) = (dice.Between(1, 3), dice.Between(3, MostSteps) * length);
        // Members that stop early keep their best model beside the snapshots that they come to.
        var stopsEarly = dice.OneIn(3);
        Snapshots = dice.Between(stopsEarly ? 0 : 1, 2);
        (_ends, _finals) = (new int[Members], new int[Members]);
        for (var member = 0; member < Members; member++)
        {
            _ends[member] = stopsEarly ? dice.Between(2, Steps) : Steps;
            _finals[member] = stopsEarly ? dice.Between(1, _ends[member]) : Steps;
        }

        var every = dice.Between(0, 3);
        if (every > 0)
        {
            Averaging = new AveragingSchedule(new AveragingSpec { Decay = 0.9, EverySteps = every, Reset = AveragingReset.Never }, Steps, 1);
        }

        StepTime = dice.Between(20, 250) * slowness;
        CheckpointSteps = dice.Between(1, 3);
        Failing = dice.OneIn(40) ? dice.Below(Members) : -1;
        _weights = [.. Enumerable.Range(0, Members).Select(member => Chain(member))];
        _averages = [.. Enumerable.Range(0, Members).Select(member => Averages(member))];
        _names = [.. _weights.Select(chain => chain.Select(Sha).ToArray())];
        Lines = [.. Enumerable.Range(0, Steps + 1).Select(step => string.Concat(s_lines.Skip(1).Take(step)))];
    }

    public RunKey Run { get; }

    public int Priority { get; }
    public int Members { get; }
    public int Steps { get; }
    public int Snapshots { get; }
    public AveragingSchedule? Averaging { get; }

    public RunAveraging? RunAveraging => Averaging is { } same ? new RunAveraging(_ => same) : null;

    /// <summary>Milliseconds.</summary>
    public int StepTime { get; }

    public int CheckpointSteps { get; }

    /// <summary>A member that fails at its second step; -1 if none does.</summary>
    public int Failing { get; }

    /// <summary>The metric lines of the first steps.</summary>
    public string[] Lines { get; }

    public static string LineOf(int step) => s_lines[step];

    public static string Sha(ulong weights) => weights.ToString("x16", CultureInfo.InvariantCulture);

    public static ulong WeightsOf(string sha) => ulong.Parse(sha, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    public static ulong First(int member) => Dice.Mix(17, (ulong)member);

    public static ulong Train(ulong weights, int member, int step) => Dice.Mix(weights, (ulong)((member * 1000) + step));

    public static ulong Fold(ulong average, ulong weights) => Dice.Mix(average, weights);

    /// <summary>The last step of a member.</summary>
    public int End(int member) => _ends[member];

    /// <summary>The step of a member's final model.</summary>
    public int Final(int member) => _finals[member];

    public bool IsSnapshot(int step)
    {
        for (var i = 1; i <= Snapshots; i++)
        {
            if (((i * Steps) + Snapshots - 1) / Snapshots == step) return true;
        }

        return false;
    }

    public bool IsAveraged(int member, int step) => Averaging is { } averaging && (averaging.Includes(step) || step == End(member));

    public string ShaAt(int member, int step) => _names[member][step];

    public string AverageAt(int member, int step) => Sha(_averages[member][step]);

    /// <summary>The step of the hand-over that follows; 0 if there is none.</summary>
    public int NextAveraged(int member, int step)
    {
        for (var next = step + 1; next <= End(member); next++)
        {
            if (IsAveraged(member, next)) return next;
        }

        return 0;
    }

    private ulong[] Chain(int member)
    {
        var chain = new ulong[Steps + 1];
        chain[0] = First(member);
        for (var step = 1; step <= Steps; step++) chain[step] = Train(chain[step - 1], member, step);
        return chain;
    }

    private ulong[] Averages(int member)
    {
        var averages = new ulong[Steps + 1];
        for (var step = 1; step <= Steps; step++)
        {
            averages[step] = IsAveraged(member, step) ? Fold(averages[step - 1], _weights[member][step]) : averages[step - 1];
        }

        return averages;
    }
}
