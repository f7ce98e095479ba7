using System.Collections.Immutable;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Training.Tests.Predictions;

public sealed class ConstituentChoiceTests
{
    private const string Dropout = """{ "members": 3, "model": { "hidden": [8] }, "regularization": { "dropout": {} } }""";
    private const string Plain = """{ "members": 3, "data": { "validationFraction": 0 }, "model": { "hidden": [8] } }""";

    [Theory]
    [InlineData(PredictionSource.Ema, null, null, null, "prediction.from is ema: run \"r\" kept no EMA models, its averaging was off. Choose final or snapshots.")]
    [InlineData(null, "greedy", null, null, "prediction.select is \"greedy\": it chooses on validation rows, and run \"r\" kept none. Choose all or last:N.")]
    [InlineData(null, "best", null, null, "prediction.select is \"best\": it must be all, greedy, or last:N with N from 1 to 999999.")]
    [InlineData(null, "last:0", null, null, "prediction.select is \"last:0\": it must be all, greedy, or last:N with N from 1 to 999999.")]
    [InlineData(null, "last: 3", null, null, "prediction.select is \"last: 3\": it must be all, greedy, or last:N with N from 1 to 999999.")]
    [InlineData(null, "last:+3", null, null, "prediction.select is \"last:+3\": it must be all, greedy, or last:N with N from 1 to 999999.")]
    [InlineData(null, "last:1000000", null, null, "prediction.select is \"last:1000000\": it must be all, greedy, or last:N with N from 1 to 999999.")]
    [InlineData(null, null, 0, null, "members is 0: run \"r\" has 1 to 3.")]
    [InlineData(null, null, 4, null, "members is 4: run \"r\" has 1 to 3.")]
    [InlineData(null, null, null, 20, "prediction.monteCarloSamples is 20: this run's network has no dropout to sample. Choose 0.")]
    public void A_choice_that_the_run_cannot_meet_is_refused(
        PredictionSource? from, string? select, int? members, int? samples, string error) => Assert.Equal(
        error, Assert.Throws<SpecException>(() => Choose(Plain, new ConstituentChoice(from, select, members, samples))).Message);

    [Fact]
    public void The_last_snapshots_of_each_member_are_taken_in_order_of_member_and_step()
    {
        var chosen = Choose(Dropout, new ConstituentChoice(PredictionSource.Snapshots, "last:2", Members: 2, MonteCarloSamples: 5));

        Assert.Equal([(0, 20), (0, 30), (1, 20), (1, 30)], chosen.Constituents.Select(file => (file.Member, file.Step)));
        Assert.Equal((5, false), (chosen.MonteCarloSamples, chosen.IsGreedy));
    }

    [Fact]
    public void Final_models_are_those_of_the_last_step_and_a_member_that_failed_has_none()
    {
        Assert.Equal([(0, 30), (1, 30), (2, 30)], Choose(Dropout, new ConstituentChoice(PredictionSource.Final)).Constituents.Select(file => (file.Member, file.Step)));
        Assert.Equal([(0, 30), (2, 30)], Choose(Dropout, new ConstituentChoice(PredictionSource.Final), failed: 1).Constituents.Select(file => (file.Member, file.Step)));
        Assert.Equal([0, 0, 0, 2, 2, 2], Choose(Dropout, new ConstituentChoice(PredictionSource.Snapshots), failed: 1).Constituents.Select(file => file.Member));
    }

    [Fact]
    public void Greedy_selection_has_every_snapshot_to_choose_from()
    {
        var chosen = Choose(Dropout, new ConstituentChoice(PredictionSource.Snapshots, "greedy"));

        Assert.Equal((9, true), (chosen.Constituents.Length, chosen.IsGreedy));
    }

    [Fact]
    public void A_fit_is_known_by_the_weights_the_masks_and_the_way_of_choosing()
    {
        var all = Choose(Dropout, new ConstituentChoice(PredictionSource.Snapshots));
        ChosenConstituents[] others =
        [
            all with { MonteCarloSamples = 2 }, all with { IsGreedy = true }, all with { Constituents = all.Constituents[1..] },
            all with { Constituents = all.Constituents.SetItem(0, all.Constituents[0] with { Sha256 = "other" }) },
        ];

        Assert.Equal(5, others.Append(all).Select(ValidationFit.KeyOf).Distinct().Count());
        Assert.Equal(ValidationFit.KeyOf(all), ValidationFit.KeyOf(Choose(Dropout, new ConstituentChoice(PredictionSource.Snapshots, "last:9"))));
    }

    private static ChosenConstituents Choose(string spec, ConstituentChoice choice, int? failed = null) => ChosenConstituents.Of(
        new RunStatus
        {
            Run = "r",
            Id = Guid.Empty,
            State = RunState.Completed,
            Members = [.. Enumerable.Range(0, 3).Select(i => new MemberStatus { Index = i, State = i == failed ? MemberState.Failed : MemberState.Completed, FinalStep = 30 })],
            Snapshots = [.. Files([10, 20, 30])],
        },
        Plans.Of(spec), choice);

    private static IEnumerable<WeightFile> Files(ImmutableArray<int> steps) =>
        from step in steps from member in new[] { 2, 0, 1 } select new WeightFile(member, step, $"{member}-{step}", $"{member}{step}");
}
