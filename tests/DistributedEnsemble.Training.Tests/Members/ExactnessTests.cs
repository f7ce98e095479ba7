using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Members;

/// <summary>The weights of member i at step t are a pure function of (spec, data, i, t).</summary>
public sealed class ExactnessTests
{
    private static readonly Dictionary<string, Lazy<string[]>> References = new[] { Plans.Small, Plans.Number, MixedSpecs.Class, MixedSpecs.Number, MixedSpecs.TabMClass, MixedSpecs.TabMNumber }.ToDictionary(
        spec => spec, spec => new Lazy<string[]>(() => [.. Enumerable.Range(0, 3).Select(member => Train(Plans.Of(spec), member))]));

    /// <summary>A classification and a regression, each of plain numbers, of columns of each kind, and by submodels.</summary>
    public static TheoryData<string> Tasks => [.. References.Keys];

    [Theory, MemberData(nameof(Tasks))]
    public void Two_members_differ_and_two_seeds_differ(string spec)
    {
        var other = Train(Plans.Of(spec.Replace("\"seed\": 7", "\"seed\": 8")), 0);

        Assert.Equal(4, References[spec].Value.Append(other).Distinct().Count());
    }

    [Theory, MemberData(nameof(Tasks))]
    public async Task The_same_seed_in_two_processes_agrees(string spec) =>
        Assert.Equal(References[spec].Value[1], await OtherProcess.TrainAsync(spec, member: 1));

    [Theory, MemberData(nameof(Tasks))]
    public void Two_threads_on_the_same_plan_agree_with_one(string spec)
    {
        var plan = Plans.Of(spec);
        var weights = new string[3];
        Thread[] threads = [.. Enumerable.Range(0, 3).Select(member => new Thread(() => weights[member] = Train(plan, member)))];
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();

        Assert.Equal(References[spec].Value, weights);
    }

    [Theory, MemberData(nameof(Tasks))]
    public void The_sequential_run_trains_the_same_weights(string spec)
    {
        var snapshots = EnsembleTraining.Run(Plans.Of(spec), cancellation: TestContext.Current.CancellationToken);

        Assert.Equal(References[spec].Value, snapshots.Select(snapshot => snapshot.Weights.Sha256()));
        foreach (var snapshot in snapshots) snapshot.Weights.Dispose();
    }

    /// <summary>
    /// Wide enough that libtorch divides its loops among the threads: it sums in another order then, but always in the same one.
    /// </summary>
    [Theory]
    [InlineData("own", "mlp", true)]
    [InlineData("own", "lenet", true)]
    [InlineData("own", "resnet", true)]
    [InlineData("libtorch", "mlp", false)]
    [InlineData("libtorch", "lenet", false)]
    public void A_member_on_two_threads_has_the_same_weights_again_and_with_kernels_of_our_own_those_of_one_thread(
        string kernels, string network, bool areThoseOfOneThread)
    {
        string[] TrainOn(int threads)
        {
            var plan = Plans.Of("""{ "data": { "dataset": "digits" }, "members": 1, "training": { "epochs": 1, "batchSize": 500 }, "regularization": { "l2": 1e-4, "weightDecay": 1e-4, "dropout": { "rate": 0.3 } } }""",
                [("threadsPerMember", $"{threads}"), ("training.kernels", kernels), ("model.kind", network), .. network == "mlp" ? [("model.hidden", "[500,300]")] : Array.Empty<(string, string)>()]);
            var snapshots = EnsembleTraining.Run(plan, cancellation: TestContext.Current.CancellationToken);
            set_num_threads(1);
            string[] identities = [.. snapshots.Select(snapshot => snapshot.Weights.Sha256())];
            foreach (var snapshot in snapshots) snapshot.Weights.Dispose();
            return identities;
        }

        var onTwo = TrainOn(2);
        Assert.Equal(onTwo, TrainOn(2));
        Assert.Equal(areThoseOfOneThread, TrainOn(1).SequenceEqual(onTwo));
        if (areThoseOfOneThread) Assert.Equal(onTwo, TrainOn(3));
    }

    /// <summary>Arrays of odd sizes move whatever the library keeps on the managed heap to other addresses mod 64.</summary>
    [Theory, MemberData(nameof(Tasks))]
    public void A_shifted_heap_changes_nothing(string spec)
    {
        var expected = References[spec].Value[2];
        var ballast = Enumerable.Range(1, 2000).Select(i => new byte[(i * 37 % 5000) + 1]).ToList();
        GC.Collect();

        Assert.Equal(expected, Train(Plans.Of(spec), 2));
        GC.KeepAlive(ballast);
    }

    [Theory, MemberData(nameof(Tasks))]
    public void Giving_way_four_times_a_step_on_the_own_thread_changes_nothing(string spec)
    {
        var plan = Plans.Of(spec);
        var (times, thread) = (0, Environment.CurrentManagedThreadId);

        var weights = Train(plan, 0, () =>
        {
            Assert.Equal(thread, Environment.CurrentManagedThreadId);
            times++;
            Thread.Yield();
        });

        Assert.Equal(References[spec].Value[0], weights);
        Assert.Equal(4 * plan.Of(0).Steps, times);
    }

    [Fact]
    public void Other_test_rows_change_no_weight()
    {
        void Edit(string[] lines)
        {
            for (var row = 0; row < MixedTables.Rows; row++) if (MixedTables.IsTest(row)) lines[row + 1] = "1999-01-01 00:00,1e9,,other,z,-1e6,no";
        }

        foreach (var spec in new[] { MixedSpecs.Class, MixedSpecs.Number, MixedSpecs.TabMClass, MixedSpecs.TabMNumber })
        {
            var plan = Plans.Of(spec);
            using var dataset = new MixedTables(edit: Edit).Load(new DataFolders(), plan.Spec, null);
            Assert.NotEqual(plan.Dataset.Test.Inputs(), dataset.Test.Inputs());

            Assert.Equal(References[spec].Value[0], Train(new TrainingPlan(plan.Spec, dataset, new NetworkRegistry()), 0));
        }
    }

    /// <summary>Their columns' means, levels and bins, too; what a column is, all rows say that do not test.</summary>
    [Fact]
    public void Other_features_of_validation_rows_change_no_weight()
    {
        foreach (var spec in new[] { MixedSpecs.Class, MixedSpecs.Number, MixedSpecs.TabMClass, MixedSpecs.TabMNumber })
        {
            var plan = Plans.Of(spec);
            int[] training = [.. Enumerable.Range(0, MixedTables.Rows).Where(row => !MixedTables.IsTest(row))];
            var validation = plan.Split.Validation;
            void Edit(string[] lines)
            {
                foreach (var row in validation)
                    lines[training[row] + 1] = $"1999-01-01 00:00,1e9,,other,z,{string.Join(',', lines[training[row] + 1].Split(',')[^2..])}";
            }

            using var dataset = new MixedTables(edit: Edit).Load(new DataFolders(), plan.Spec, null);
            Assert.NotEmpty(validation);
            Assert.NotEqual(plan.Dataset.Train.Inputs(), dataset.Train.Inputs());

            Assert.Equal(References[spec].Value[0], Train(new TrainingPlan(plan.Spec, dataset, new NetworkRegistry()), 0));
        }
    }

    /// <summary>Nor does a number that a validation row has for its target, which others' centre and scale are not told of.</summary>
    [Fact]
    public void Another_number_to_be_predicted_of_a_validation_row_changes_no_weight()
    {
        var plan = Plans.Of(MixedSpecs.Number);
        int[] training = [.. Enumerable.Range(0, MixedTables.Rows).Where(row => !MixedTables.IsTest(row))];
        using var dataset = new MixedTables(edit: lines =>
        {
            var cells = lines[training[plan.Split.Validation[0]] + 1].Split(',');
            cells[^2] = "1e6";
            lines[training[plan.Split.Validation[0]] + 1] = string.Join(',', cells);
        }).Load(new DataFolders(), plan.Spec, null);

        Assert.NotEqual(plan.Dataset.Train.Targets, dataset.Train.Targets);
        Assert.Equal(plan.Dataset.Task, dataset.Task);
        Assert.Equal(References[MixedSpecs.Number].Value[0], Train(new TrainingPlan(plan.Spec, dataset, new NetworkRegistry()), 0));
    }

    private static string Train(TrainingPlan plan, int member, Action? yieldCore = null)
    {
        set_num_threads(1);
        using var training = new MemberTraining(plan, member, yieldCore: yieldCore);
        return training.TrainTo(plan, plan.Of(0).Steps);
    }
}
