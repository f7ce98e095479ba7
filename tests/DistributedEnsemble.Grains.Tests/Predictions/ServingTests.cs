using System.Collections.Concurrent;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Members;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Tests.Predictions;

/// <summary>Members as grains, in clusters of one process, whose answers a test can count, fail or withhold.</summary>
public sealed class ServingTests
{
    private readonly MemberCalls _calls = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_row_s_answer_does_not_depend_on_its_company()
    {
        await using var cluster = await StartAsync();
        var run = await TrainAsync(cluster);
        var rows = Rows(60);
        var alone = new List<Prediction>();
        foreach (var row in rows) alone.Add(await PredictAsync(cluster, run, row));

        var together = await Task.WhenAll(rows.Select(row => PredictAsync(cluster, run, row)));
        var asOne = await PredictAsync(cluster, run, [.. rows.SelectMany(row => row)]);

        foreach (var (one, other) in alone.Zip(together)) AssertNear(one["probabilities"].Numbers, other["probabilities"].Numbers);
        AssertNear([.. alone.SelectMany(prediction => prediction["probabilities"].Numbers)], asOne["probabilities"].Numbers);
        Assert.Equal(alone.Select(prediction => prediction["label"].Texts[0]), asOne["label"].Texts);
    }

    [Fact]
    public async Task What_fits_the_cache_is_answered_without_asking_anybody()
    {
        await using var cluster = await StartAsync(silos: 2);
        var run = await TrainAsync(cluster);

        await PredictAsync(cluster, run, Rows(1)[0]);

        Assert.Empty(_calls.Constituents);
    }

    [Fact]
    public async Task What_does_not_fit_is_asked_of_its_members_silos_in_one_call_each()
    {
        await using var large = await StartAsync();
        await using var cluster = await StartAsync(silos: 3, cacheBytes: 1);
        var (run, direct) = (await TrainAsync(cluster), await TrainAsync(large));
        var rows = Rows(3).SelectMany(row => row).ToArray();

        await PredictAsync(cluster, run, rows);
        _calls.Constituents.Clear();
        var answer = await PredictAsync(cluster, run, rows);

        Assert.Equal((await PredictAsync(large, direct, rows))["probabilities"].Numbers, answer["probabilities"].Numbers);
        // The members of the aggregator's own silo need no call.
        var shares = (await cluster.Coordinator(run).GetStatusAsync()).Members.GroupBy(member => member.Silo).Select(share => share.Count()).ToList();
        Assert.InRange(_calls.Constituents.Count, 1, 2);
        Assert.All(_calls.Constituents, asked => Assert.Contains(asked, shares));
    }

    [Fact]
    public async Task Members_that_fail_are_left_out_of_the_average_and_the_answer_says_so()
    {
        await using var cluster = await StartAsync(silos: 2, cacheBytes: 1, configure: options => options.Quorum = 0.1);
        var run = await TrainAsync(cluster);
        var row = Rows(1)[0];
        var all = await PredictAsync(cluster, run, row, perMember: true);
        _calls.Fail = true;

        var answer = await PredictAsync(cluster, run, row, perMember: true);

        Assert.Equal([0, 1, 2, 3, 4, 5], all.MembersUsed);
        Assert.InRange(answer.MembersUsed.Length, 1, 5);
        for (var c = 0; c < 10; c++)
            Assert.Equal(answer.MembersUsed.Average(member => all.Members[member].Outputs[0].Numbers[c]), answer["probabilities"].Numbers[c], 1e-6);
    }

    [Fact]
    public async Task Members_that_do_not_answer_in_time_are_left_out_and_not_waited_for_again_at_once()
    {
        await using var cluster = await StartAsync(silos: 2, cacheBytes: 1, configure: options => (options.MemberTimeout, options.Quorum) = (TimeSpan.FromMilliseconds(200), 0.1));
        var run = await TrainAsync(cluster);
        var row = Rows(1)[0];
        await PredictAsync(cluster, run, row);
        _calls.Withhold = new TaskCompletionSource();

        var answers = new[] { await PredictAsync(cluster, run, row), await PredictAsync(cluster, run, row) };

        Assert.All(answers, answer => Assert.InRange(answer.MembersUsed.Length, 1, 5));
        _calls.Withhold.SetResult();
    }

    [Fact]
    public async Task Members_that_come_back_are_asked_again()
    {
        await using var cluster = await StartAsync(silos: 2, cacheBytes: 1, configure: options => options.Quorum = 0.1);
        var run = await TrainAsync(cluster);
        var row = Rows(1)[0];
        await PredictAsync(cluster, run, row);
        _calls.Fail = true;
        Assert.InRange((await PredictAsync(cluster, run, row)).MembersUsed.Length, 1, 5);
        _calls.Fail = false;

        while ((await PredictAsync(cluster, run, row)).MembersUsed.Length < 6) await Task.Delay(50, Cancellation);
    }

    [Fact]
    public async Task Another_silo_s_overload_is_an_overload_and_no_smaller_average()
    {
        await using var cluster = await StartAsync(silos: 2, cacheBytes: 1, configure: options => options.Quorum = 0.1);
        var run = await TrainAsync(cluster);
        var row = Rows(1)[0];
        var all = await PredictAsync(cluster, run, row);
        _calls.IsOverloaded = true;

        var refused = await Assert.ThrowsAsync<OverloadedException>(() => PredictAsync(cluster, run, row));

        Assert.Equal("Too much waits on purpose.", refused.Message);
        _calls.IsOverloaded = false;
        // Nobody is left out for having refused once.
        Assert.Equal(all.MembersUsed, (await PredictAsync(cluster, run, row)).MembersUsed);
    }

    [Fact]
    public async Task Below_the_quorum_there_is_no_answer()
    {
        await using var cluster = await StartAsync(silos: 2, cacheBytes: 1, configure: options => options.Quorum = 1);
        var run = await TrainAsync(cluster);
        await PredictAsync(cluster, run, Rows(1)[0]);
        _calls.Fail = true;

        var refused = await Assert.ThrowsAsync<QuorumException>(() => PredictAsync(cluster, run, Rows(1)[0]));

        Assert.Matches("^[1-5] of 6 members of run \"small\" answered within 60 s, and 6 are needed: ask again in a moment.$", refused.Message);
    }

    [Theory]
    [InlineData(0.1, 1)]
    [InlineData(0.5, 2)]
    [InlineData(0.67, 3)]
    public async Task A_quorum_is_rounded_up(double quorum, int needed)
    {
        await using var cluster = await StartAsync(configure: options => options.Quorum = quorum);
        var run = await TrainAsync(cluster, Specs.Small.Replace("\"members\": 6", "\"members\": 3"));
        await DamageAsync(cluster, run, 0, 1);

        if (needed == 1) Assert.Equal([2], (await PredictAsync(cluster, run, Rows(1)[0])).MembersUsed);
        else await QuorumAsync(cluster, run, $"1 of 3 members of run \"small\" answered within 60 s, and {needed} are needed: ask again in a moment.");
    }

    [Fact]
    public async Task Nobody_is_no_answer_whatever_the_quorum()
    {
        await using var cluster = await StartAsync(configure: options => options.Quorum = 0);
        var run = await TrainAsync(cluster);
        await DamageAsync(cluster, run, 0, 1, 2, 3, 4, 5);

        await QuorumAsync(cluster, run, "0 of 6 members of run \"small\" answered within 60 s, and 1 are needed: ask again in a moment.");
    }

    [Fact]
    public async Task A_member_whose_file_is_damaged_is_left_out()
    {
        await using var cluster = await StartAsync();
        var run = await TrainAsync(cluster);
        await DamageAsync(cluster, run, 2);

        var answer = await PredictAsync(cluster, run, Rows(1)[0]);

        Assert.Equal([0, 1, 3, 4, 5], answer.MembersUsed);
    }

    [Fact]
    public async Task Uncertainty_is_the_entropy_of_the_mean_and_what_the_models_disagree_on()
    {
        await using var cluster = await StartAsync();
        var run = await TrainAsync(cluster);

        var answer = await PredictAsync(cluster, run, Rows(4).SelectMany(row => row).ToArray(), perMember: true);

        Assert.Equal(6, answer.Members.Length);
        for (var row = 0; row < 4; row++)
        {
            var entropy = Entropy(answer["probabilities"].Numbers.AsSpan().Slice(row * 10, 10));
            var expected = answer.Members.Average(member => Entropy(member.Outputs[0].Numbers.AsSpan().Slice(row * 10, 10)));
            Assert.Equal(entropy, answer["entropy"].Numbers[row], 1e-5);
            Assert.Equal(entropy - expected, answer["mutual_information"].Numbers[row], 1e-5);
            Assert.Equal(answer["label"].Texts[row], $"{answer["label_index"].Integers[row]}");
        }
    }

    [Theory]
    [InlineData(63, "63 numbers are no rows of run \"small\": each row has 64.")]
    [InlineData(0, "0 numbers are no rows of run \"small\": each row has 64.")]
    public async Task Rows_that_do_not_fit_are_refused(int numbers, string message)
    {
        await using var cluster = await StartAsync();
        var run = await TrainAsync(cluster);

        var refused = await Assert.ThrowsAsync<RunRejectedException>(() => PredictAsync(cluster, run, new float[numbers]));

        Assert.Equal(message, refused.Message);
    }

    [Fact]
    public async Task The_model_says_what_rows_must_be_like()
    {
        await using var cluster = await StartAsync();
        var run = await TrainAsync(cluster);

        var model = await cluster.Aggregator(run).DescribeAsync();

        Assert.Equal(64, model.InputShape.Aggregate(1L, (product, size) => product * size));
        Assert.Equal(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], model.Outputs[0].Columns);
        Assert.Equal("classification", model.Task);
        Assert.Equal(6, model.Members);
    }

    /// <summary>No silo has lanes for all members, so that each has some.</summary>
    private Task<EnsembleCluster> StartAsync(int silos = 1, long cacheBytes = 1 << 30, Action<PredictionOptions>? configure = null) =>
        EnsembleCluster.StartAsync(
            silos, lanes: 6 / silos,
            configure: options =>
            {
                options.Prediction.CacheBytes = cacheBytes;
                options.Prediction.MemberTimeout = TimeSpan.FromMinutes(1);
                configure?.Invoke(options.Prediction);
            },
            configureSilo: silo => silo.AddIncomingGrainCallFilter(_calls));

    private static async Task DamageAsync(EnsembleCluster cluster, RunKey run, params int[] members)
    {
        var status = await cluster.Coordinator(run).GetStatusAsync();
        foreach (var file in status.Snapshots.Where(file => members.Contains(file.Member)))
            await File.WriteAllTextAsync(cluster.Folder(run).Path(file.File), "garbage", Cancellation);
    }

    private static async Task QuorumAsync(EnsembleCluster cluster, RunKey run, string message) =>
        Assert.Equal(message, (await Assert.ThrowsAsync<QuorumException>(() => PredictAsync(cluster, run, Rows(1)[0]))).Message);

    private static async Task<RunKey> TrainAsync(EnsembleCluster cluster, string? spec = null)
    {
        var run = await cluster.SubmitAsync(spec ?? Specs.Small);
        await cluster.WhenAsync(run, status => status.HasEnded);
        return run;
    }

    private static Task<Prediction> PredictAsync(EnsembleCluster cluster, RunKey run, float[] rows, bool perMember = false) =>
        cluster.Aggregator(run).PredictAsync(new PredictionRequest([.. rows]) { PerMember = perMember }, Cancellation);

    private static List<float[]> Rows(int count)
    {
        var raw = Specs.Plan(Specs.Small).Dataset.Test.InputsOf(0, count).ToArray();
        return [.. raw.Select(pixel => pixel * 16).Chunk(64)];
    }

    private static void AssertNear(IReadOnlyList<float> expected, IReadOnlyList<float> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++) Assert.Equal(expected[i], actual[i], 1e-6);
    }

    private static double Entropy(ReadOnlySpan<float> probabilities)
    {
        var entropy = 0.0;
        foreach (var p in probabilities) entropy -= p * Math.Log(p);
        return entropy;
    }

    private sealed class MemberCalls : IIncomingGrainCallFilter
    {
        public ConcurrentBag<int> Constituents { get; } = [];
        public volatile bool Fail, IsOverloaded;
        public TaskCompletionSource? Withhold { get; set; }

        public async Task Invoke(IIncomingGrainCallContext context)
        {
            if (context.Grain is IMember && context.MethodName == nameof(IMember.PredictAsync))
            {
                Constituents.Add(((ConstituentQuery)context.Request.GetArgument(0)!).Constituents.Length);
                if (Withhold is { } withheld) await withheld.Task;
                if (Fail) throw new InvalidOperationException("This member fails on purpose.");
                if (IsOverloaded) throw new OverloadedException("Too much waits on purpose.");
            }

            await context.Invoke();
        }
    }
}
