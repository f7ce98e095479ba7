using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Tests.Predictions;

/// <summary>Rows that are asked of no more members than they need.</summary>
public sealed class EarlyExitTests
{
    private const int Count = 60;

    private static readonly float[] s_rows = [.. Specs.Plan(Specs.Small).Dataset.Test.InputsOf(0, Count).ToArray().Select(pixel => pixel * 16)];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("\"prediction\": { \"from\": \"snapshots\" },")]
    public async Task Off_it_changes_no_bit_and_on_it_spares_members_and_leaves_the_rows_that_need_all_of_them(string prediction)
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        var run = await TrainAsync(cluster, prediction);

        var plain = await PredictAsync(cluster, run, s_rows, null);
        var off = await PredictAsync(cluster, run, s_rows, 0);
        var on = await PredictAsync(cluster, run, s_rows, 0.1);

        Assert.Equal(plain["probabilities"].Numbers, off["probabilities"].Numbers);
        Assert.Empty(off.RowMembers);
        Assert.Equal(Count, on.RowMembers.Length);
        Assert.Contains(on.RowMembers, members => members < plain.MembersUsed.Length);
        Assert.All(on.RowMembers, members => Assert.InRange(members, 1, plain.MembersUsed.Length));
        Assert.InRange(on["label"].Texts.Zip(plain["label"].Texts).Count(labels => labels.First != labels.Second), 0, Count / 5);
        for (var row = 0; row < Count; row++)
            if (on.RowMembers[row] == plain.MembersUsed.Length) Assert.Equal(plain["probabilities"].Numbers.Slice(row * 10, 10), on["probabilities"].Numbers.Slice(row * 10, 10));
    }

    [Fact]
    public async Task Members_of_other_silos_are_asked_as_ones_own_are_and_company_changes_nothing()
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos: 2, lanes: 3, configure: options => options.Prediction.CacheBytes = 1);
        var run = await TrainAsync(cluster);
        await using var alone = await EnsembleCluster.StartAsync();
        var same = await TrainAsync(alone);

        var far = await PredictAsync(cluster, run, s_rows, 0.1);
        var near = await PredictAsync(alone, same, s_rows, 0.1);
        var single = await Task.WhenAll(s_rows.Chunk(64).Select(row => PredictAsync(alone, same, row, 0.1)));

        Assert.Equal(near["probabilities"].Numbers, far["probabilities"].Numbers);
        Assert.Equal(near.RowMembers, far.RowMembers);
        Assert.Equal(near.RowMembers, single.SelectMany(answer => answer.RowMembers));
        Assert.Equal(near["probabilities"].Numbers, single.SelectMany(answer => answer["probabilities"].Numbers));
    }

    [Fact]
    public async Task A_silo_s_own_probability_holds_where_a_request_has_none_and_the_run_can_promise_it()
    {
        await using var cluster = await EnsembleCluster.StartAsync(configure: options => options.Prediction.EarlyExit = 0.1);
        var run = await TrainAsync(cluster);
        var without = await TrainAsync(cluster, "\"data\": { \"dataset\": \"digits\", \"validationFraction\": 0 },", "no-rows");

        Assert.Equal(Count, (await PredictAsync(cluster, run, s_rows, null)).RowMembers.Length);
        Assert.Empty((await PredictAsync(cluster, run, s_rows, 0)).RowMembers);
        Assert.Empty((await PredictAsync(cluster, run, s_rows, null, perMember: true)).RowMembers);
        Assert.Empty((await PredictAsync(cluster, without, s_rows, null)).RowMembers);
    }

    [Fact]
    public async Task What_cannot_be_promised_is_refused()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        var run = await TrainAsync(cluster);
        var without = await TrainAsync(cluster, "\"data\": { \"dataset\": \"digits\", \"validationFraction\": 0 },", "no-rows");

        await RefusedAsync(run, 0.001, false, "early exit is 0.001: the run's 143 validation rows promise no probability below 0.020731 of another prediction. Choose a higher one, or 0 to ask all members.");
        await RefusedAsync(without, 0.1, false, "early exit is 0.1: it is fitted on validation rows that every member may answer, and this run kept none (data.validationFraction). Choose 0, which asks all members.");
        await RefusedAsync(run, 0.1, true, "early_exit asks few members, and what each member says is asked for: ask for one of the two.");

        async Task RefusedAsync(RunKey asked, double probability, bool perMember, string message) => Assert.Equal(
            message, (await Assert.ThrowsAsync<RunRejectedException>(() => PredictAsync(cluster, asked, s_rows, probability, perMember))).Message);
    }

    [Fact]
    public async Task A_member_whose_file_is_damaged_is_done_without()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        var run = await TrainAsync(cluster);
        var before = await PredictAsync(cluster, run, s_rows, 0.1);
        var status = await cluster.Coordinator(run).GetStatusAsync();
        await using var other = await EnsembleCluster.StartAsync(runsFolder: cluster.Folder(run).Runs);
        foreach (var file in status.Snapshots.Where(file => file.Member == before.MembersUsed[0]))
            await File.WriteAllTextAsync(cluster.Folder(run).Path(file.File), "garbage", Cancellation);

        var after = await PredictAsync(other, run, s_rows, 0.1);

        Assert.DoesNotContain(before.MembersUsed[0], after.MembersUsed);
        Assert.Equal(Count, after.RowMembers.Length);
    }

    private static async Task<RunKey> TrainAsync(EnsembleCluster cluster, string more = "", string name = "small")
    {
        var spec = more.StartsWith("\"data\"", StringComparison.Ordinal) ? Specs.Small.Replace("\"data\": { \"dataset\": \"digits\" },", more) : Specs.Small.Replace("\"data\"", $"{more} \"data\"");
        var run = await cluster.SubmitAsync(spec.Replace("\"small\"", $"\"{name}\""));
        await cluster.WhenAsync(run, status => status.HasEnded);
        return run;
    }

    private static Task<Prediction> PredictAsync(EnsembleCluster cluster, RunKey run, float[] rows, double? earlyExit, bool perMember = false) => cluster.Aggregator(run).PredictAsync(
        new PredictionRequest([.. rows], new ConstituentChoice { EarlyExit = earlyExit }) { PerMember = perMember }, Cancellation);
}
