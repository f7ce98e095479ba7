using DistributedEnsemble.Randomness;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Randomness;

namespace DistributedEnsemble.Training.Tests.Members;

public sealed class MemberRowsTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void Each_row_is_in_one_fold_and_a_member_sees_all_but_its_own(int folds)
    {
        var plan = Plans.Of(Plans.Small, ("data.folds", $"{folds}"), ("members", "8"));
        var unseen = Enumerable.Range(0, folds).Select(fold => plan.Split.Training.Except(plan.Of(fold).Rows()).ToArray()).ToArray();

        Assert.Equal(plan.Split.Training, unseen.SelectMany(rows => rows).Order());
        Assert.InRange(unseen.Max(rows => rows.Length) - unseen.Min(rows => rows.Length), 0, 1);
        for (var member = 0; member < 8; member++)
        {
            Assert.Equal(plan.Of(member % folds).Rows(), plan.Of(member).Rows());
            Assert.Equal(plan.Of(member).RowCount, plan.Of(member).Rows().Length);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void Of_the_folds_only_its_own_rows_count_for_a_members_weights(int folds)
    {
        var plan = Plans.Of(Plans.Small, ("data.folds", $"{folds}"));
        var whole = plan.Dataset;
        using var rest = new Dataset
        {
            Name = whole.Name, Sha256 = whole.Sha256, InputShape = whole.InputShape, Columns = whole.Columns, Task = whole.Task, Preprocessing = whole.Preprocessing,
            Train = whole.Train.Rows(plan.Of(1).Rows()), Test = whole.Test.Rows([0]),
        };
        var alone = new TrainingPlan(Plans.Spec(Plans.Small, ("data.validationFraction", "0")), rest, new NetworkRegistry());
        using MemberTraining ofFolds = new(plan, 1), without = new(alone, 1);

        Assert.Equal(without.TrainTo(alone, alone.Of(1).Steps), ofFolds.TrainTo(plan, plan.Of(1).Steps));
    }

    [Fact]
    public void Folds_have_the_same_share_of_each_class()
    {
        var plan = Plans.Of(Plans.Small, ("data.folds", "5"));
        for (var digit = 0; digit < 10; digit++)
        {
            var counts = Enumerable.Range(0, 5).Select(fold => plan.Split.Training.Except(plan.Rows.Of(fold)).Count(row => plan.Dataset.Train.Targets[row] == digit)).ToArray();
            Assert.InRange(counts.Max() - counts.Min(), 0, 1);
        }
    }

    [Fact]
    public void A_bootstrap_draws_as_many_rows_as_there_are_and_leaves_about_a_third_out()
    {
        var plan = Plans.Of(Plans.Small, ("data.bootstrap", "true"));
        var (first, second) = (plan.Of(0).Rows(), plan.Of(1).Rows());
        Assert.Equal(plan.Split.Training.Length, first.Length);
        Assert.Empty(first.Except(plan.Split.Training));
        Assert.InRange(first.Distinct().Count() / (double)first.Length, 0.60, 0.66);
        Assert.NotEqual(first, second);
        Assert.Equal(first, Plans.Of(Plans.Small, ("data.bootstrap", "true"), ("members", "9")).Of(0).Rows());
    }

    [Fact]
    public void With_folds_and_a_bootstrap_a_member_draws_of_the_other_folds()
    {
        var (both, folds) = (Plans.Of(Plans.Small, ("data.bootstrap", "true"), ("data.folds", "3")), Plans.Of(Plans.Small, ("data.folds", "3")));
        for (var member = 0; member < 3; member++)
        {
            Assert.Empty(both.Of(member).Rows().Except(folds.Of(member).Rows()));
            Assert.Equal(folds.Of(member).RowCount, both.Of(member).RowCount);
        }
    }

    [Fact]
    public void What_a_member_has_not_seen_is_what_it_does_not_train_on()
    {
        var plan = Plans.Of(Plans.Small, ("data.bootstrap", "true"), ("data.folds", "3"), ("data.validationFraction", "0.2"));
        for (var member = 0; member < 3; member++)
        {
            var unseen = plan.Rows.UnseenBy(member);
            Assert.Equal(plan.Split.Training.Except(plan.Of(member).Rows()), plan.Split.Training.Where((_, place) => unseen[place]));
        }
    }

    [Theory]
    [InlineData("0", "false")]
    [InlineData("3", "false")]
    [InlineData("0", "true")]
    public void The_rows_of_an_epoch_are_listed_in_place(string folds, string bootstrap)
    {
        var plan = Plans.Of(Plans.Small, ("data.folds", folds), ("data.bootstrap", bootstrap), ("data.validationFraction", "0.2"));
        var rows = new int[plan.Rows.CountOf(1)];
        plan.Rows.List(1, rows);
        Array.Clear(rows);
        var before = GC.GetAllocatedBytesForCurrentThread();
        plan.Rows.List(1, rows);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);
        Assert.Equal(plan.Of(1).Rows(), rows);
    }

    /// <summary>Runs that were begun before go on with the rows that they had.</summary>
    [Theory]
    [InlineData("0")]
    [InlineData("3")]
    public void A_bootstrap_draws_64_bits_a_row(string folds)
    {
        var plan = Plans.Of(Plans.Small, ("data.folds", folds), ("data.bootstrap", "true"), ("data.validationFraction", "0.2"));
        int[] drawn = folds == "0" ? plan.Split.Training : Plans.Of(Plans.Small, ("data.folds", folds), ("data.validationFraction", "0.2")).Of(1).Rows();
        var words = new uint[2 * drawn.Length];
        plan.Random.Words(new Draw(Purpose.Bootstrap, 1, 0, 0), words);
        Assert.Equal(Enumerable.Range(0, drawn.Length).Select(i => drawn[(int)Math.BigMul(((ulong)words[(2 * i) + 1] << 32) | words[2 * i], (ulong)drawn.Length, out _)]), plan.Of(1).Rows());
    }

    [Fact]
    public void A_member_without_folds_trains_on_all_rows()
    {
        var plan = Plans.Of(Plans.Small);
        Assert.Same(plan.Split.Training, plan.Of(1).Rows());
    }

    [Fact]
    public void With_folds_no_rows_are_kept_for_validation_unless_asked_for()
    {
        Assert.Empty(Plans.Of(Plans.Small, ("data.folds", "3")).Split.Validation);
        Assert.Equal(1437, Plans.Of(Plans.Small, ("data.folds", "3")).Split.Training.Length);
        Assert.NotEmpty(Plans.Of(Plans.Small, ("data.folds", "3"), ("data.validationFraction", "0.1")).Split.Validation);
    }

    [Fact]
    public void More_folds_than_rows_are_refused() => Assert.Equal(
        "data.folds is 200: there are 142 training rows, and each fold takes one (take fewer folds).",
        Assert.Throws<SpecException>(() => Plans.Of(Plans.Small, ("data.folds", "200"), ("data.validationFraction", "0.9"))).Message);

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.5)]
    public void A_member_is_given_a_share_of_the_features_whole(double share)
    {
        var plan = Plans.Of(MixedSpecs.Class, ("data.columns", $"{share}"), ("members", "6"));
        var (widths, inputs) = (plan.Dataset.Inputs.Features, plan.Dataset.Inputs);
        var seen = plan.Members.Select(member => Assert.IsType<SelectInputs>(member.Network.Layers[0]).Places).ToArray();
        Assert.Equal((int)inputs.Width, widths.Sum());
        foreach (var places in seen)
        {
            var (first, features) = (0, 0);
            foreach (var width in widths)
            {
                var given = places.Count(place => place >= first && place < first + width);
                Assert.True(given == 0 || given == width);
                if (given > 0) features++;
                first += width;
            }

            Assert.Equal((int)Math.Round(share * widths.Count, MidpointRounding.AwayFromZero), features);
        }

        Assert.True(seen.Select(places => string.Join(' ', places)).Distinct().Count() > 1);
    }

    [Fact]
    public void What_a_member_is_not_given_does_not_change_its_answers()
    {
        var plan = Plans.Of(MixedSpecs.Class, ("data.columns", "0.5"));
        using var training = new MemberTraining(plan, 1);
        training.Advance();
        using var weights = training.CopyWeights();
        var predictor = Predictors.Create(plan, weights, 1, 0);
        var (inputs, answers, others) = (plan.Dataset.Test.InputsOf(0, 1).ToArray(), new double[plan.Task.Width], new double[plan.Task.Width]);
        predictor.Answer(inputs, answers);
        var places = Assert.IsType<SelectInputs>(plan.Of(1).Network.Layers[0]).Places;
        for (var place = 0; place < inputs.Length; place++) if (!places.Contains(place)) inputs[place] = 123;
        predictor.Answer(inputs, others);
        Assert.Equal(answers, others);
    }
}
