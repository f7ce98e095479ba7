using System.Collections.Immutable;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Serving.Inference;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Serving.Tests;

public sealed class PredictionMemoryTests
{
    private const int Rows = 16384, Classes = 50;

    private static readonly ServedModel s_model = ServedModels.Of([4], [.. Enumerable.Range(0, Classes).Select(i => $"{i}")], 30) with
    {
        Size = new PredictionSize(4, Classes, PredictionSource.Final, "all", Snapshots: 20, Ema: 1),
    };

    [Theory]
    [InlineData(null, null, null, 30)]
    [InlineData(null, null, 7, 7)]
    [InlineData(PredictionSource.Snapshots, null, null, 600)]
    [InlineData(PredictionSource.Snapshots, "greedy", null, 600)]
    [InlineData(PredictionSource.Snapshots, "last:3", 10, 30)]
    [InlineData(PredictionSource.Snapshots, "last:999", null, 600)]
    [InlineData(PredictionSource.Ema, "all", 1000, 30)]
    // Refused later, by whoever knows why.
    [InlineData(PredictionSource.Snapshots, "none", -1, 0)]
    public void Every_model_that_a_request_may_choose_counts_with_its_answers(PredictionSource? from, string? select, int? members, int models)
    {
        var memory = PredictionMemory.Of(s_model, Request(new ConstituentChoice(from, select, members)));

        Assert.Equal(models, memory.Count);
        Assert.InRange(memory.Bytes, 8L * Rows * models * Classes, (8L * Rows * (models + 6) * Classes) + (Rows * 100));
    }

    [Fact]
    public void What_the_spec_says_holds_where_a_request_says_nothing()
    {
        var model = s_model with { Size = s_model.Size with { From = PredictionSource.Snapshots, Select = "last:5" } };

        Assert.Equal(150, PredictionMemory.Of(model, Request(new ConstituentChoice())).Count);
    }

    [Fact]
    public void The_wider_inputs_of_a_table_count_twice_and_numbers_beyond_counting_as_many_as_there_are()
    {
        var wide = s_model with { Size = s_model.Size with { InputWidth = 1004 }, Columns = [new ServedColumn("a", ServedColumn.Number)] };
        var bare = PredictionMemory.Of(s_model, Request(new ConstituentChoice())).Bytes;
        var huge = s_model with { Members = int.MaxValue, Size = new PredictionSize(4, int.MaxValue, PredictionSource.Snapshots, "all", int.MaxValue, 0) };

        Assert.Equal(bare + (4L * Rows * ((2 * 1004) - 4)), PredictionMemory.Of(wide, Request(new ConstituentChoice())).Bytes);
        Assert.Equal(long.MaxValue, PredictionMemory.Of(huge, Request(new ConstituentChoice())).Bytes);
    }

    private static InferRequest Request(ConstituentChoice choice) => new()
    {
        Rows = ImmutableArray<float>.Empty, RowCount = Rows, Parameters = new InferParameters { Choice = choice },
        Outputs = [new RequestedOutput(OutputTensor.Of(s_model)[1], IsBinary: false)],
    };
}
