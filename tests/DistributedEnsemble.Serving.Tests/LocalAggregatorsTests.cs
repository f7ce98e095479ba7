using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Serving.Tests;

/// <summary>What is served from a silo's process is asked of the aggregator itself, where that knows all that it needs.</summary>
public sealed class LocalAggregatorsTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rows_that_are_asked_here_have_the_answers_of_the_grain()
    {
        var (run, request) = (await RunAsync(), new PredictionRequest([.. ServedRuns.Rows(3)]));

        var (asked, here) = (await Grain(run).PredictAsync(request, Cancellation), await KnownAsync(run, request));

        Assert.Equal(asked["probabilities"].Numbers, here["probabilities"].Numbers);
        Assert.Equal(asked["label"].Texts, here["label"].Texts);
    }

    [Fact]
    public async Task Rows_that_do_not_fit_are_refused_in_the_words_of_the_grain()
    {
        var (run, rows) = (await RunAsync(), new PredictionRequest([1, 2, 3]));
        await KnownAsync(run, new PredictionRequest([.. ServedRuns.Rows(1)]));

        var asked = await Assert.ThrowsAsync<RunRejectedException>(() => Grain(run).PredictAsync(rows, Cancellation));
        var here = await Assert.ThrowsAsync<RunRejectedException>(() => KnownAsync(run, rows));

        Assert.Equal("3 numbers are no rows of run \"small\": each row has 64.", asked.Message);
        Assert.Equal(asked.Message, here.Message);
    }

    [Fact]
    public async Task Who_knows_neither_the_run_nor_the_choice_leaves_them_to_the_grain()
    {
        var (run, request) = (await RunAsync(), new PredictionRequest([.. ServedRuns.Rows(1)]));
        await KnownAsync(run, request);

        Assert.Null(served.Aggregators.Predict(new RunKey("small", Guid.NewGuid()), request, Cancellation));
        Assert.Null(served.Aggregators.Predict(run, request with { Choice = new ConstituentChoice(Members: 1, MonteCarloSamples: 7) }, Cancellation));
    }

    /// <summary>What the coordinator said last is not good for ever: the grain asks again.</summary>
    private async Task<Prediction> KnownAsync(RunKey run, PredictionRequest request)
    {
        while (true)
        {
            if (served.Aggregators.Predict(run, request, Cancellation) is { } answer) return await answer;
            await Grain(run).PredictAsync(request, Cancellation);
        }
    }

    private IAggregator Grain(RunKey run) => served.Grains.GetGrain<IAggregator>(run.ToString());

    private async Task<RunKey> RunAsync() => new("small", RunStatusJson.FromJson(await served.Client.GetStringAsync("/api/runs/small", Cancellation)).Id);
}
