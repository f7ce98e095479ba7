using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Training.Tests.Members;

public sealed class GrowthTests
{
    /// <summary>
    /// In a process where nothing else happens. One object of libtorch a step that nobody frees, be it a scalar, would be 50 KB
    /// and more.
    /// </summary>
    [Theory]
    [InlineData("sgd")]
    [InlineData("adamw")]
    public async Task Training_holds_as_much_after_2000_steps_as_after_200(string optimizer)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Native memory is read from glibc.");
        var spec = Plans.Small.Replace("\"epochs\": 3", $"\"epochs\": 200, \"optimizer\": {{ \"kind\": \"{optimizer}\" }}").Replace("0.05", "0.001");

        var living = await OtherProcess.MeasureAsync(spec, 200, 2000);

        Assert.Equal([200, 2000], living.Select(measured => measured.Step));
        Assert.All(living, measured => Assert.Equal(0, measured.Undisposed));
        Assert.Equal(living[0].Tensors, living[1].Tensors);
        Assert.InRange(living[1].Bytes - living[0].Bytes, long.MinValue, 30_000);
    }

    /// <summary>
    /// Large arrays are garbage that only a full collection removes, which comes the later the more memory there is: they would
    /// pile up, member after member.
    /// </summary>
    [Fact]
    public void Neither_weights_nor_rows_of_a_member_lie_in_the_managed_heap()
    {
        var plan = Plans.Of(Plans.Small, ("model.hidden", "[4000]"), ("training.batchSize", "1437"), ("training.epochs", "32"), ("logging.everySteps", "1000"));
        using var runs = new TemporaryFolder();
        var (folder, run) = (new RunFolder(runs.Path, "small"), new RunKey("small", Guid.NewGuid()));
        Directory.CreateDirectory(folder.Root);
        File.WriteAllText(folder.Spec, plan.Spec.ToJson());
        long Allocated(int member)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            using (var training = new MemberTraining(plan, member))
            {
                training.TrainTo(plan, plan.Of(0).Steps);
                using var weights = training.CopyWeights();
                WeightFiles.SaveSnapshot(folder, run, new MemberAttempt(member, 1), plan.Of(0).Steps, weights);
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Allocated(0);

        // The weights take 1.2 MB, the orders of the rows 368 KB; what is left are small objects, and what other threads' collections cut off.
        Assert.InRange(Allocated(1), 0, 200_000);
    }
}
