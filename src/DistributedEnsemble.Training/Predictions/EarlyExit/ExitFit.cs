using System.Collections.Immutable;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Predictions.EarlyExit;

/// <summary>Finds on the validation rows in which order members are asked, and how much doubt they may leave.</summary>
internal static class ExitFit
{
    /// <summary>Members that are chosen for what they add to those before them; behind these they stand by what each is alone.</summary>
    private const int Chosen = 16;

    /// <summary>The doubts that are tested: a power of two each eighth, whatever the data, so that the bound holds.</summary>
    private static readonly ImmutableArray<double> s_doubts = [.. Enumerable.Range(-96, 161).Select(eighth => Math.Pow(2, eighth / 8.0))];

    /// <param name="task">Fitted, if it needs to be.</param>
    /// <param name="constituents">The models of the average, each with as often as it counts and its answers [rows, width].</param>
    public static ExitCurve Of(LearningTask task, IReadOnlyList<(WeightFile File, int Multiplicity, double[] Answers)> constituents, float[] targets)
    {
        var members = constituents.GroupBy(constituent => constituent.File.Member).Select(group => Member.Of(group.Key, [.. group])).ToList();
        var ordered = Ordered(task, members, targets);
        var all = new AnswerMean();
        foreach (var member in ordered) all.Add(member.Answers, member.Weight);
        var (mean, ofAll) = (new AnswerMean(), all.ToArray());
        var (rows, width, count) = (targets.Length, task.Width, ordered.Count);
        var doubts = AnswerArray.New(rows, count - 1);
        var changed = new bool[doubts.Length];
        for (var asked = 1; asked < count; asked++)
        {
            mean.Add(ordered[asked - 1].Answers, ordered[asked - 1].Weight);
            var answers = mean.ToArray();
            for (var row = 0; row < rows; row++)
            {
                var place = ((asked - 1) * rows) + row;
                doubts[place] = task.Doubt(answers.AsSpan(row * width, width), asked, count);
                changed[place] = task.IsOther(answers.AsSpan(row * width, width), ofAll.AsSpan(row * width, width));
            }
        }

        return new ExitCurve([.. ordered.Select(member => member.Index)], rows, [.. s_doubts.Select(Point)]);

        ExitPoint Point(double most)
        {
            var (others, total) = (0, 0L);
            for (var row = 0; row < rows; row++)
            {
                var asked = 1;
                while (asked < count && !(doubts[((asked - 1) * rows) + row] <= most)) asked++;
                total += asked;
                if (asked < count && changed[((asked - 1) * rows) + row]) others++;
            }

            return new ExitPoint(most, others, total);
        }
    }

    /// <summary>Each next one makes the average's likelihood highest; the first is the best alone.</summary>
    private static List<Member> Ordered(LearningTask task, List<Member> members, float[] targets)
    {
        var likelihoods = members.ConvertAll(member => task.Likelihoods(member.Answers, targets));
        var (rest, ordered) = (Enumerable.Range(0, members.Count).ToList(), new List<int>());
        var (sum, weight) = (new double[targets.Length], 0);
        while (ordered.Count < Chosen && rest.Count > 0)
        {
            var (_, next) = rest.Select(i => (Nll(i), i)).Min();
            for (var row = 0; row < sum.Length; row++) sum[row] += members[next].Weight * likelihoods[next][row];
            weight += members[next].Weight;
            ordered.Add(next);
            rest.Remove(next);
        }

        (sum, weight) = (new double[targets.Length], 0);
        return [.. ordered.Concat(rest.OrderBy(Nll)).Select(i => members[i])];

        double Nll(int i)
        {
            var nll = 0.0;
            for (var row = 0; row < sum.Length; row++)
                nll -= Math.Log(Math.Max((sum[row] + (members[i].Weight * likelihoods[i][row])) / (weight + members[i].Weight), float.Epsilon));
            return nll;
        }
    }

    /// <summary>The mean of a member's models, and how often it counts.</summary>
    private sealed record Member(int Index, int Weight, double[] Answers)
    {
        public static Member Of(int index, IReadOnlyList<(WeightFile File, int Multiplicity, double[] Answers)> models)
        {
            if (models is [var only]) return new Member(index, only.Multiplicity, only.Answers);
            var mean = new AnswerMean();
            foreach (var (_, multiplicity, answers) in models) mean.Add(answers, multiplicity);
            return new Member(index, mean.Count, mean.ToArray());
        }
    }
}
