using System.Collections.Immutable;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Predictions.EarlyExit;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Predictions.EarlyExit;

public sealed class EarlyExitTests
{
    private const int Classes = 4, Members = 6;

    private static readonly LearningTask s_task = new Classification(["a", "b", "c", "d"]);

    [Fact]
    public void The_promise_holds_on_rows_that_were_not_looked_at()
    {
        // Of a hundred validation splits five may break it.
        const double Promised = 0.03;
        var broken = 0;
        for (var seed = 0; seed < 100; seed++)
        {
            var rule = Fit(Draw(seed, 1000)).Rule(Promised)!;
            var (members, changed, rows) = Try(Draw(1000 + seed, 3000), rule);
            if (changed > Promised * rows) broken++;
            Assert.InRange((double)members / rows, 1, 0.8 * Members);
        }

        Assert.InRange(broken, 0, 9);
    }

    [Fact]
    public void More_may_be_asked_of_the_rule_than_the_rows_can_promise()
    {
        var exits = Fit(Draw(seed: 1, rows: 500));

        Assert.Equal(0.0059737, exits.Lowest, 1e-6);
        Assert.Null(exits.Rule(0.005));
        Assert.Equal(
            "early exit is 0.005: the run's 500 validation rows promise no probability below 0.005974 of another prediction. Choose a higher one, or 0 to ask all members.",
            Assert.Throws<SpecException>(() => exits.RequiredRule(0.005)).Message);
        var doubts = new[] { 0.006, 0.01, 0.05, 0.2 }.Select(probability => exits.RequiredRule(probability).Doubt).ToList();
        Assert.Equal(doubts.Order(), doubts);
    }

    [Fact]
    public void One_member_alone_keeps_any_promise_on_however_few_rows()
    {
        var (answers, targets) = Draw(seed: 2, rows: 3);

        Assert.Equal([0], Fit(([answers[0]], targets)).RequiredRule(1e-9).Order);
    }

    [Fact]
    public void A_row_that_all_members_answered_has_the_bits_of_their_average_and_none_depends_on_its_company()
    {
        var answers = Draw(seed: 3, rows: 200).Answers;
        var rule = new ExitRule([3, 0, 5, 1, 4, 2], 0.1, Doubt: 0.7);
        var mean = new AnswerMean();
        foreach (var member in answers) mean.Add(member);
        var whole = mean.ToArray();

        var (all, counts) = Ask(rule, answers, Enumerable.Range(0, 200));

        Assert.Contains(1, counts);
        Assert.Contains(Members, counts);
        for (var row = 0; row < 200; row++)
        {
            var part = all.AsSpan(row * s_task.Width, s_task.Width).ToArray();
            if (counts[row] == Members) Assert.Equal(whole.AsSpan(row * s_task.Width, s_task.Width).ToArray(), part);
            var (alone, count) = Ask(rule, answers, [row]);
            Assert.Equal(part, alone);
            Assert.Equal(counts[row], count.Single());
        }
    }

    [Fact]
    public void A_member_that_does_not_answer_is_done_without()
    {
        var answers = Draw(seed: 3, rows: 50).Answers;
        var rule = new ExitRule([3, 0, 5, 1, 4, 2], 0.1, Doubt: 0.7);

        var (mean, counts) = Ask(rule, answers, Enumerable.Range(0, 50), absent: 3);

        Assert.DoesNotContain(mean, double.IsNaN);
        Assert.Equal(Members - 1, counts.Max());
        var only = Enumerable.Range(0, 50).First(row => counts[row] == 1);
        Assert.Equal(answers[0].AsSpan(only * s_task.Width, s_task.Width), mean.AsSpan(only * s_task.Width, s_task.Width));
    }

    [Fact]
    public void The_best_member_is_asked_first_and_the_same_again_later()
    {
        var (answers, targets) = Draw(seed: 5, rows: 400);
        var better = new double[answers[0].Length];
        for (var row = 0; row < targets.Length; row++) better[(row * s_task.Width) + (int)targets[row]] = 1;
        double[][] models = [answers[0], better, answers[0], answers[1], answers[2], answers[3]];

        var exits = Fit((models, targets));

        Assert.Equal(1, exits.Order[0]);
        Assert.Equal(Enumerable.Range(0, Members), exits.Order.Order());
    }

    [Fact]
    public void Doubt_falls_as_members_agree_and_as_they_are_asked()
    {
        double[] sure = TestTasks.Answers(2, [0.95, 0.05]), unsure = TestTasks.Answers(2, [0.55, 0.45]), open = TestTasks.Answers(2, [0.5, 0.5]);
        var task = new Classification(["a", "b"]);

        Assert.True(task.Doubt(sure, 1, 5) < task.Doubt(unsure, 1, 5));
        Assert.True(task.Doubt(unsure, 4, 5) < task.Doubt(unsure, 1, 5));
        Assert.Equal(double.PositiveInfinity, task.Doubt(open, 1, 5));
        Assert.True(task.IsOther(sure, TestTasks.Answers(2, [0.4, 0.6])));
        Assert.False(task.IsOther(sure, unsure));
    }

    [Fact]
    public void A_number_is_another_one_when_its_interval_moves_by_a_tenth_of_its_width()
    {
        var task = new Regression(10, 2, 0, 20);
        double[] Mixture(double mean, double variance, double spread) => [mean, variance, (mean * mean) + spread];

        Assert.False(task.IsOther(Mixture(0.1, 1, 0), Mixture(0, 1, 0)));
        Assert.True(task.IsOther(Mixture(0.21, 1, 0), Mixture(0, 1, 0)));
        Assert.True(task.IsOther(Mixture(0, 1.5, 0), Mixture(0, 1, 0)));
        Assert.Equal(double.PositiveInfinity, task.Doubt(Mixture(0, 1, 0), 1, 5));
        Assert.Equal(0, task.Doubt(Mixture(0, 1, 0), 2, 5));
        Assert.Equal(Math.Sqrt((0.5 - 0.2) * 2 * 0.04 / 1.04), task.Doubt(Mixture(0, 1, 0.04), 2, 5), 1e-12);
    }

    private static ExitCurve Fit((double[][] Answers, float[] Targets) rows) =>
        ExitFit.Of(s_task, [.. rows.Answers.Select((answers, member) => (new WeightFile(member, 1, "", ""), 1, answers))], rows.Targets);

    private static (long Members, int Changed, int Rows) Try((double[][] Answers, float[] Targets) fresh, ExitRule rule)
    {
        var mean = new AnswerMean();
        foreach (var member in fresh.Answers) mean.Add(member);
        var (all, rows, width) = (mean.ToArray(), fresh.Targets.Length, s_task.Width);
        var (few, counts) = Ask(rule, fresh.Answers, Enumerable.Range(0, rows));
        return (counts.Sum(), Enumerable.Range(0, rows).Count(row => s_task.IsOther(few.AsSpan(row * width, width), all.AsSpan(row * width, width))), rows);
    }

    private static (double[] Mean, ImmutableArray<int> Members) Ask(ExitRule rule, double[][] answers, IEnumerable<int> company, int? absent = null)
    {
        int[] rows = [.. company];
        var files = Enumerable.Range(0, answers.Length).Select(member => new WeightFile(member, 1, "", "")).ToImmutableArray();
        var exits = new RowExits(s_task, new ConstituentSelection(files, [.. files.Select(_ => 1)], 0, null) { Exit = rule }, rows.Length);
        while (!exits.Rows.IsEmpty)
        {
            var member = exits.Places.Single();
            exits.Add(member == absent ? null : [[.. exits.Rows.SelectMany(row => answers[member].AsSpan(rows[row] * s_task.Width, s_task.Width).ToArray())]]);
        }

        return (exits.Mean(), exits.Members);
    }

    /// <summary>Members that see the same signal, each with a noise of its own.</summary>
    private static (double[][] Answers, float[] Targets) Draw(int seed, int rows)
    {
        var random = new Random(seed);
        var (answers, targets) = (Enumerable.Range(0, Members).Select(_ => new double[rows * Classes]).ToArray(), new float[rows]);
        for (var row = 0; row < rows; row++)
        {
            double[] signal = [.. Enumerable.Range(0, Classes).Select(_ => 2.5 * Normal())];
            targets[row] = Array.IndexOf(signal, signal.Max());
            foreach (var member in answers)
            {
                double[] odds = [.. signal.Select(score => Math.Exp(score + (0.7 * Normal())))];
                for (var c = 0; c < Classes; c++) member[(row * Classes) + c] = odds[c] / odds.Sum();
            }
        }

        return ([.. answers.Select(member => TestTasks.Answers(Classes, member))], targets);

        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
    }
}
