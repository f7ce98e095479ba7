using System.Collections.Immutable;
using System.Reflection;
using DistributedEnsemble.Grains.Predictions;
using DistributedEnsemble.Members;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Grains.Tests.Predictions;

public sealed class MemberConstituentsTests
{
    private const int Classes = 1000;

    private static readonly RunKey s_run = RunKey.New("wide");

    [Theory]
    [InlineData(1, 4), InlineData(4, 4), InlineData(3, 40)]
    public async Task No_answer_is_larger_than_a_message_and_all_come_in_the_order_of_the_question(int members, int snapshots)
    {
        ImmutableArray<WeightFile> files =
            [.. Enumerable.Range(0, snapshots).SelectMany(step => Enumerable.Range(0, members).Select(member => File(member, step)))];
        var rows = new RowRange(DataPart.Test, 512, BatchedPrediction.BatchSize);
        var (grains, asked) = Members();

        var answers = await new MemberConstituents(grains, s_run, Classes).PredictAsync(files, 0, rows);

        Assert.Equal(files.Length, asked.Sum(query => query.Constituents.Length));
        Assert.All(asked, query => Assert.InRange(AnswerTo(query).Values.Sum(values => (long)values.Length * sizeof(double)), 1, 8L << 20));
        Assert.All(asked, query => Assert.Single(query.Constituents.Select(file => file.Member).Distinct()));
        Assert.All(files.Zip(answers.Values), answer => Assert.Equal(AnswerOf(answer.First, rows.Start, rows.Count), answer.Second));
    }

    [Fact]
    public async Task Narrow_answers_are_asked_for_in_one_call_of_each_member()
    {
        ImmutableArray<WeightFile> files = [.. Enumerable.Range(0, 12).Select(i => File(i % 3, i))];
        var (grains, asked) = Members();

        await new MemberConstituents(grains, s_run, width: 10).PredictAsync(files, 0, new RowRange(DataPart.Test, 0, BatchedPrediction.BatchSize));

        Assert.Equal([4, 4, 4], asked.Select(query => query.Constituents.Length));
    }

    private static WeightFile File(int member, int step) => new(member, step, $"{member}-{step}", "");

    private static ConstituentAnswers AnswerTo(ConstituentQuery query) =>
        new([.. query.Constituents.Select(file => AnswerOf(file, query.Start, query.Count))]);

    private static ImmutableArray<double> AnswerOf(WeightFile file, int start, int count)
    {
        var answer = new double[count * Classes];
        answer.AsSpan().Fill((file.Member * 1000) + file.Step + (start / 1e6));
        return [.. answer];
    }

    private static (IGrainFactory Grains, List<ConstituentQuery> Asked) Members()
    {
        var asked = new List<ConstituentQuery>();
        var member = Answering<IMember>(arguments =>
        {
            var query = (ConstituentQuery)arguments[0]!;
            lock (asked) asked.Add(query);
            return Task.FromResult(AnswerTo(query));
        });
        return (Answering<IGrainFactory>(_ => member), asked);
    }

    private static T Answering<T>(Func<object?[], object> answer)
        where T : class
    {
        var proxy = DispatchProxy.Create<T, Proxy>();
        ((Proxy)(object)proxy).Answer = answer;
        return proxy;
    }

    public class Proxy : DispatchProxy
    {
        public Func<object?[], object>? Answer { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => Answer!(args!);
    }
}
