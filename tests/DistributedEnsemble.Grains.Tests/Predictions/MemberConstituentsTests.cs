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
    private const int Classes = 1000, ManyClasses = 20_000;

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
        Assert.All(files.Zip(answers.Values), answer => Assert.True(AnswerOf(answer.First, rows.Start, rows.Count).AsSpan().SequenceEqual(answer.Second.AsSpan())));
    }

    [Fact]
    public async Task Rows_of_one_constituent_with_very_many_classes_come_in_several_messages()
    {
        var rows = new RowRange(DataPart.Test, 512, BatchedPrediction.BatchSize);
        var (grains, asked) = Members(ManyClasses);

        var answers = await new MemberConstituents(grains, s_run, ManyClasses).PredictAsync([File(0, 1), File(0, 2)], 0, rows);

        Assert.All(asked, query => Assert.InRange((long)query.Answered!.Value * ManyClasses * sizeof(double), 1, 32L << 20));
        Assert.All(asked, query => Assert.Equal((rows.Start, rows.Count), (query.Start, query.Count)));
        Assert.True(AnswerOf(File(0, 1), rows.Start, rows.Count, ManyClasses).AsSpan().SequenceEqual(answers.Values[0].AsSpan()));
        Assert.True(AnswerOf(File(0, 2), rows.Start, rows.Count, ManyClasses).AsSpan().SequenceEqual(answers.Values[1].AsSpan()));
    }

    [Theory]
    [InlineData(10, 1), InlineData(1000, 4), InlineData(50_000, 4)]
    public async Task What_another_silo_answers_to_clients_rows_comes_in_messages_that_are_not_too_large(int classes, int calls)
    {
        const int Rows = 160, Inputs = 2;
        ImmutableArray<WeightFile> files = [.. Enumerable.Range(0, 24 / (classes > 1000 ? 12 : 1)).Select(i => File(i % 3, i))];
        var asked = new List<ConstituentQuery>();

        var answers = await DividedQuery.AskAsync(
            new ConstituentQuery(files, 0, [Numbers(0, 100 * Inputs), Numbers(100 * Inputs, 60 * Inputs)], null, 0, 0), Inputs, classes, query =>
            {
                lock (asked) asked.Add(query);
                return Task.FromResult(new ConstituentAnswers([.. query.Constituents.Select(file => Echo(file, query.Rows.SelectMany(rows => rows), classes))]) { Silo = "there" });
            });

        Assert.Equal(calls, asked.Count);
        Assert.All(asked, query => Assert.InRange(query.Rows.Sum(rows => (long)rows.Length) / Inputs * classes * query.Constituents.Length * sizeof(double), 1, 32L << 20));
        Assert.All(files.Zip(answers.Values), answer => Assert.True(Echo(answer.First, Numbers(0, Rows * Inputs), classes).AsSpan().SequenceEqual(answer.Second.AsSpan())));
        Assert.Equal("there", answers.Silo);

        ImmutableArray<float> Numbers(int from, int count) => [.. Enumerable.Range(from, count).Select(number => (float)number)];

        ImmutableArray<double> Echo(WeightFile file, IEnumerable<float> rows, int width) =>
            [.. rows.Chunk(Inputs).SelectMany(row => Enumerable.Repeat(row[0] + (file.Step / 100.0), width))];
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

    private static ConstituentAnswers AnswerTo(ConstituentQuery query, int classes = Classes) => new([.. query.Constituents.Select(file =>
    {
        var all = AnswerOf(file, query.Start, query.Count, classes);
        return query.Answered is { } rows ? all.Slice(query.Skipped * classes, rows * classes) : all;
    })]);

    /// <summary>Each row has numbers of its own.</summary>
    private static ImmutableArray<double> AnswerOf(WeightFile file, int start, int count, int classes = Classes)
    {
        var answer = new double[count * classes];
        for (var row = 0; row < count; row++) answer.AsSpan(row * classes, classes).Fill((file.Member * 1000) + file.Step + ((start + row) / 1e6));
        return [.. answer];
    }

    private static (IGrainFactory Grains, List<ConstituentQuery> Asked) Members(int classes = Classes)
    {
        var asked = new List<ConstituentQuery>();
        var member = Answering<IMember>(arguments =>
        {
            var query = (ConstituentQuery)arguments[0]!;
            lock (asked) asked.Add(query);
            return Task.FromResult(AnswerTo(query, classes));
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
