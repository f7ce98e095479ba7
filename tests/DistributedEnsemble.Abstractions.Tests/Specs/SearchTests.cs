using System.Globalization;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble;

public sealed class SearchTests
{
    private static EnsembleSpec Resolve(string over, string more = "") =>
        SpecDocument.Parse($$"""{ "members": 200, "search": { "over": { {{over}} } } {{more}} }""").Resolve();

    private static IEnumerable<EnsembleSpec> Members(EnsembleSpec spec) => Enumerable.Range(0, spec.Members).Select(spec.OfMember);

    [Fact]
    public void A_drawn_kind_of_network_has_its_own_learning_rate_unless_that_is_drawn_too()
    {
        var spec = Resolve(""" "model.kind": ["mlp", "lenet"] """);
        Assert.All(Members(spec), member => Assert.Equal(member.Model.Kind == "lenet" ? 0.05 : 0.1, member.Training.Schedule.LearningRate));
        Assert.Contains(Members(spec), member => member.Model.Kind == "lenet");
        Assert.Equal(spec, SpecDocument.Parse(spec.ToJson()).Resolve());

        var both = Resolve(""" "model.kind": ["mlp", "lenet"], "training.schedule.learningRate": [0.3, 0.4, "choice"] """);
        Assert.All(Members(both), member => Assert.Contains(member.Training.Schedule.LearningRate, new[] { 0.3, 0.4 }));
    }

    [Fact]
    public void Each_drawn_value_lies_in_its_range()
    {
        var spec = Resolve("""
            "training.schedule.learningRate": [1e-4, 1e-1, "log"], "regularization.l2": [0, 1e-3], "training.batchSize": [16, 256, "log"],
            "training.epochs": [1, 4], "model.hidden": [[64], [128, 128]], "training.optimizer.momentum": [0.5, 0.9, "choice"]
            """);
        Assert.All(Members(spec), member =>
        {
            Assert.InRange(member.Training.Schedule.LearningRate, 1e-4, 1e-1);
            Assert.InRange(member.Regularization.L2, 0, 1e-3);
            Assert.InRange(member.Training.BatchSize, 16, 256);
            Assert.True(member.Training.Optimizer.Momentum is 0.5 or 0.9);
        });
        Assert.Equal([1, 2, 3, 4], Members(spec).Select(member => member.Training.Epochs).Distinct().Order());
        Assert.Equal(["[128, 128]", "[64]"], Members(spec).Select(member => $"{member.Model.Hidden}").Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_logarithmic_range_has_as_many_small_numbers_as_large_ones()
    {
        var below = Members(Resolve("\"training.schedule.learningRate\": [1e-4, 1e-2, \"log\"]")).Count(member => member.Training.Schedule.LearningRate < 1e-3);
        Assert.InRange(below, 75, 125);
    }

    [Fact]
    public void Drawn_numbers_have_four_digits() => Assert.All(
        Members(Resolve("\"training.schedule.learningRate\": [1e-4, 1e-1, \"log\"]")).Select(member => member.Training.Schedule.LearningRate),
        rate => Assert.Equal(rate, double.Parse(rate.ToString("E3", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)));

    [Fact]
    public void The_same_seed_draws_the_same_and_another_seed_others()
    {
        const string Over = "\"training.schedule.learningRate\": [1e-4, 1e-1, \"log\"]";
        Assert.Equal(Resolve(Over), Resolve(Over));
        Assert.NotEqual(Resolve(Over).Variants, Resolve(Over, ", \"seed\": 2").Variants);
    }

    [Fact]
    public void What_is_drawn_for_a_key_does_not_depend_on_the_others_nor_on_how_many_are_drawn()
    {
        const string Rate = "\"training.schedule.learningRate\": [1e-4, 1e-1, \"log\"]";
        var alone = Members(Resolve(Rate)).Select(member => member.Training.Schedule.LearningRate);
        var beside = Members(Resolve($"\"training.epochs\": [1, 9], {Rate}")).Select(member => member.Training.Schedule.LearningRate);
        Assert.Equal(alone, beside);
        var few = SpecDocument.Parse($$"""{ "search": { "count": 3, "over": { {{Rate}} } } }""").Resolve();
        Assert.Equal(alone.Take(3).Concat(alone.Take(1)), Members(few).Take(4).Select(member => member.Training.Schedule.LearningRate));
    }

    [Fact]
    public void A_resolved_spec_shows_what_each_member_drew_and_can_be_trained_again()
    {
        var spec = Resolve("\"model.hidden\": [[64], [128, 128]]");
        Assert.Contains("\"variants\": [\n    {\n      \"model\": {\n        \"hidden\": [", spec.ToJson(), StringComparison.Ordinal);
        Assert.Equal(spec, EnsembleSpec.FromJson(spec.ToJson()));
        Assert.Equal(spec, SpecDocument.Parse(spec.ToJson()).Resolve());
        Assert.Equal(
            "search draws other variants with seed 2 than variants has: leave one of the two out.",
            Assert.Throws<SpecException>(() => SpecDocument.Parse(spec.ToJson()).With("seed", "2").Resolve()).Message);
    }

    [Fact]
    public void Keys_of_a_kind_that_was_not_drawn_are_left_out()
    {
        var spec = Resolve("\"training.optimizer.kind\": [\"sgd\", \"adam\"], \"training.optimizer.momentum\": [0.1, 0.2]");
        Assert.Equal([OptimizerKind.Sgd, OptimizerKind.Adam], Members(spec).Select(member => member.Training.Optimizer.Kind).Distinct().Order());
        Assert.All(Members(spec).Where(member => member.Training.Optimizer.Kind == OptimizerKind.Sgd), member => Assert.InRange(member.Training.Optimizer.Momentum, 0.1, 0.2));
    }

    [Theory]
    [InlineData("""{ "training.schedule.learningRate": [0.1, 1e-4, "log"] }""", "search.over: training.schedule.learningRate is [0.1, 1e-4, \"log\"]: a range goes from the smaller number to the larger.")]
    [InlineData("""{ "training.epochs": [3, 3] }""", "search.over: training.epochs is [3, 3]: a range goes from the smaller number to the larger.")]
    [InlineData("""{ "regularization.l2": [0, 1, "log"] }""", "search.over: regularization.l2 is [0, 1, \"log\"]: a logarithmic range begins above 0.")]
    [InlineData("""{ "regularization.l2": [0, 1, "lag"] }""", "search.over: regularization.l2 is [0, 1, \"lag\"]: a list of numbers ends in log, linear or choice, if in a word (did you mean log?).")]
    [InlineData("""{ "training.epochs": [] }""", "search.over: training.epochs is []: it must be a range, as in [1, 10] or [1, 10, \"log\"], or a list of values to choose from.")]
    [InlineData("""{ "model.kind": [] }""", "search.over: model.kind is []: it must be a list of values to choose from.")]
    [InlineData("""{ "training.epochs": [0, 3] }""", "search.over: training.epochs is 0: it must be a whole number from 1 to 1000000.")]
    [InlineData("""{ "training.lerningRate": [1, 3] }""", "search.over: training.lerningRate is an unknown key: did you mean training.schedule.learningRate?")]
    [InlineData("""{ "training.optimizer": [1, 3] }""", "search.over: training.optimizer is a section: name one of its keys, such as training.optimizer.kind.")]
    [InlineData("""{ "seed": [1, 3] }""", "search.over: seed cannot be drawn: all members of a run share it.")]
    [InlineData("""{}""", "search.over is {}: it must name at least one key and what it is drawn from, as in {\"training.schedule.learningRate\": [1e-4, 0.1, \"log\"], \"model.hidden\": [[64], [128, 128]]}.")]
    public void A_search_that_cannot_be_drawn_from_is_told_why(string over, string error) =>
        Assert.Equal(error, Assert.Throws<SpecException>(() => SpecDocument.Empty.With("search.over", over).Resolve()).Message);

    [Fact]
    public void A_search_over_nothing_is_refused() => Assert.StartsWith(
        "search.over is null: it must name at least one key", Assert.Throws<SpecException>(() => SpecDocument.Empty.With("search.count", "3").Resolve()).Message, StringComparison.Ordinal);
}
