using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Training.Tests.Members;

public class TrainingMemoryTests
{
    [Theory]
    [InlineData("sgd", 4)]
    [InlineData("adam", 5)]
    public void A_member_takes_its_vectors_and_the_working_memory_of_a_pass(string optimizer, int vectors)
    {
        var plan = Plan(("model.hidden", "[100]"), ("training.optimizer.kind", optimizer), ("training.batchSize", "32"));

        const long Weights = (100 * 65) + (10 * 101);
        using var function = plan.Of(0).Network.CreateFunction(32, isTrained: true);
        Assert.Equal((4 * Weights * vectors) + plan.Of(0).Network.WorkingBytes(32, isTrained: true), TrainingMemory.BytesOf(plan.Of(0)));
        Assert.InRange(plan.Of(0).Network.WorkingBytes(32, isTrained: true), 4 * 32 * (64 + 100 + 10), 1 << 20);
    }

    [Fact]
    public void Members_that_do_not_fit_beside_each_other_are_refused_before_they_are_allocated()
    {
        var plan = Plan(("model.hidden", "[100000,3000]"), ("members", "3"));
        const long Free = 10L << 30;

        TrainingMemory.Check(plan, lanes: 2, Free);
        var error = Assert.Throws<SpecException>(() => TrainingMemory.Check(plan, lanes: 8, Free));

        Assert.Equal(
            "model: training takes at least 4.6 GiB for each of 3 members at once (306,533,010 weights, batches of 32), and 10.0 GiB are free. "
            + "Take fewer lanes, a smaller model or smaller batches.",
            error.Message);
    }

    [Fact]
    public void Members_fit_into_exactly_what_they_take_and_not_into_a_byte_less()
    {
        var plan = Plan(("model.hidden", "[16]"), ("members", "3"));
        var three = 3 * TrainingMemory.BytesOf(plan.Of(0));

        Assert.Null(Record.Exception(() => TrainingMemory.Check(plan, lanes: 8, three)));
        Assert.Throws<SpecException>(() => TrainingMemory.Check(plan, lanes: 8, three - 1));
    }

    [Fact]
    public void This_machine_has_memory_to_spare_for_a_small_network_and_no_more_than_it_has()
    {
        var plan = Plan(("model.hidden", "[16]"));
        var available = TrainingMemory.Available();

        Assert.InRange(available, 2 * TrainingMemory.BytesOf(plan.Of(0)), GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        Assert.Null(Record.Exception(() => TrainingMemory.Check(plan, lanes: 2, available)));
    }

    [Fact]
    public void Data_fits_into_exactly_what_it_takes_and_not_into_a_byte_less()
    {
        const long Bytes = 4L * 600_000_000 * (4 + 1);

        TrainingMemory.CheckData(600_000_000, 4, Bytes);
        Assert.Equal(
            "600,000,000 rows of 4 numbers take 11.2 GiB of memory, and 11.2 GiB are free. Take a part of the rows, or fewer columns.",
            Assert.Throws<DataException>(() => TrainingMemory.CheckData(600_000_000, 4, Bytes - 1)).Message);
        Assert.StartsWith(
            "2,000,000,000 rows of 2,147,483,647 numbers take 8,589,934,592.0 GiB of memory, and ",
            Assert.Throws<DataException>(() => SampleMemory.Of("rows", int.MaxValue, Preprocessing.None, [2_000_000_000])).Message);
    }

    private static TrainingPlan Plan(params (string, string)[] settings)
    {
        var digits = new Digits();
        return new TrainingPlan(SpecDocument.Empty.With(settings).Resolve(digits.Defaults), digits.Load(new DataFolders()), new NetworkRegistry());
    }
}
