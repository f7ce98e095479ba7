using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Serving.Models;
using DistributedEnsemble.Serving.Telemetry;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>The way from a request's rows to their prediction, within the server's limits and measured, whatever protocol it comes by.</summary>
internal sealed class InferenceService(ModelStatistics statistics, HttpSettings settings, TimeProvider time)
{
    /// <summary>Counts a request by its outcome; <paramref name="answer"/> answers it.</summary>
    public async Task MeasureAsync(HttpContext context, Func<MeasuredRequest, Task> answer)
    {
        var measured = new MeasuredRequest(time);
        try
        {
            await answer(measured);
        }
        catch (Exception exception)
        {
            measured.Outcome = HttpFailure.Of(context, exception, settings.RequestTimeoutSeconds).Outcome;
            throw;
        }
        finally
        {
            RequestMeasurements.Duration.Record(measured.Elapsed.TotalSeconds, new KeyValuePair<string, object?>("outcome", measured.Outcome));
            statistics.Add(measured, measured.Outcome == MeasuredRequest.Answered);
        }
    }

    /// <param name="answerBytes">The answer's at most.</param>
    /// <param name="otherBytes">What else the request keeps in memory until it is answered.</param>
    /// <param name="lease">Holds all of these, and the rows.</param>
    /// <exception cref="HttpError">The answer would be too long, too much is in memory, or it took too long.</exception>
    public async Task<Prediction> PredictAsync(
        Served served, InferRequest request, long answerBytes, long otherBytes, ByteBudget.Lease lease, MeasuredRequest measured, CancellationToken cancellation)
    {
        // Beside the rows, an answer that fills all memory alone would never be computed, however often it is asked for.
        var most = Math.Min(settings.MaxResponseBytes, settings.MaxBytesInFlight - request.RowBytes - otherBytes);
        if (answerBytes > most)
        {
            throw HttpError.TooLarge(
                $"The answer to {request.RowCount} {Plural.Of(request.RowCount, "row")} has up to {answerBytes} bytes: one answer has up to {most}. Ask for fewer rows or outputs.");
        }

        var held = request.RowBytes + answerBytes + otherBytes;
        var models = PredictionMemory.Of(served.Model, request);
        if (models.Bytes > settings.MaxBytesInFlight - held)
        {
            throw HttpError.TooLarge(
                $"The answers of {models.Count} {Plural.Of(models.Count, "model")} to {request.RowCount} {Plural.Of(request.RowCount, "row")} take {models.Bytes} bytes of memory, beside {held} of the request and its answer: there are {settings.MaxBytesInFlight} for all. Ask for fewer rows or members.");
        }

        lease.Hold(held + models.Bytes);
        measured.IsRead(request.RowCount);
        var prediction = await AskAsync(served, request, cancellation);
        measured.IsPredicted();
        lease.Hold(held);
        return prediction;
    }

    private static async Task<Prediction> AskAsync(Served served, InferRequest request, CancellationToken cancellation)
    {
        var question = new PredictionRequest(request.Rows, request.Parameters.Choice, request.Parameters.Calibrated)
        {
            Columns = request.Columns,
            PerMember = request.Outputs.Any(output => output.Tensor.IsPerMember),
            Coverage = request.Parameters.Coverage,
        };
        if (request.Parameters.Timeout is not { } timeout) return await served.PredictAsync(question, cancellation);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(timeout);
        try
        {
            return await served.PredictAsync(question, patience.Token);
        }
        catch (Exception) when (patience.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw HttpError.TimedOut($"There was no answer within the request's timeout of {timeout.TotalMicroseconds} microseconds.");
        }
    }
}
