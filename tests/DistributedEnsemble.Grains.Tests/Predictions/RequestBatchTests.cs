using System.Diagnostics;
using DistributedEnsemble.Grains.Predictions;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Grains.Tests.Predictions;

public sealed class RequestBatchTests
{
    [Fact]
    public void A_batch_goes_on_with_the_trace_of_its_first_request_and_is_linked_to_the_others()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Measurements.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
        };
        ActivitySource.AddActivityListener(listener);
        var (first, firstTrace) = Asked("first");
        var (second, secondTrace) = Asked("second");

        using var trace = new RequestBatch(first.Selection, [first, second, Request()]).StartTrace("batch");

        Assert.Equal((firstTrace.TraceId, firstTrace.SpanId), (trace!.TraceId, trace.ParentSpanId));
        Assert.Equal([secondTrace], trace.Links.Select(link => link.Context));
    }

    private static (BatchRequest, ActivityContext) Asked(string name)
    {
        using var asking = new Activity(name).Start();
        return (Request(), asking.Context);
    }

    private static BatchRequest Request() => new(new ConstituentSelection([], [], 0, null), new PredictionRequest([1f]), 1);
}
