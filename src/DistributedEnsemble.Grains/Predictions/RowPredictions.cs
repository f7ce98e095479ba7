using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Grains.Predictions;

/// <summary>What an aggregator answers to clients' rows: checks them, and joins them into batches.</summary>
internal sealed class RowPredictions(RunKey run, ServedRun served, RequestBatcher batcher)
{
    /// <summary>In the aggregator's turns.</summary>
    /// <exception cref="RunRejectedException">The rows or the choice do not fit the run.</exception>
    /// <exception cref="OverloadedException">As many requests wait as may wait.</exception>
    public async Task<Prediction> PredictAsync(PredictionRequest request, CancellationToken cancellation)
    {
        await served.RefreshAsync();
        var (checkedRequest, rows) = Checked(request);
        var selection = await served.SelectAsync(request.Choice, request.Calibrated, MayExit(request));
        return await batcher.AskAsync(new BatchRequest(selection, checkedRequest, rows), cancellation);
    }

    /// <summary>The same on any thread, if the run and the choice are known already.</summary>
    /// <returns>Null if they are not.</returns>
    /// <inheritdoc cref="PredictAsync"/>
    public Task<Prediction>? PredictKnown(PredictionRequest request, CancellationToken cancellation)
    {
        if (served.KnownSelection(request.Choice, request.Calibrated, MayExit(request)) is not { } selection) return null;
        var (checkedRequest, rows) = Checked(request);
        return batcher.AskAsync(new BatchRequest(selection, checkedRequest, rows), cancellation);
    }

    private static bool MayExit(PredictionRequest request) => !request.PerMember;

    /// <summary>With the inputs of a table's rows; and how many there are.</summary>
    private (PredictionRequest Request, int Rows) Checked(PredictionRequest request)
    {
        request = Encoded(request);
        var (rows, rest) = Math.DivRem(request.Rows.Length, served.Model.Width);
        if (rows == 0 || rest > 0) throw NoRows(request.Rows.Length, served.Model.Width);
        return request is { PerMember: true, Choice.EarlyExit: > 0 }
            ? throw new RunRejectedException("early_exit asks few members, and what each member says is asked for: ask for one of the two.")
            : (request, rows);
    }

    private PredictionRequest Encoded(PredictionRequest request)
    {
        var data = served.Model.Data;
        if (data.Table is null)
            return request.Columns.IsEmpty ? request : throw new RunRejectedException($"Run \"{run.Name}\" takes no columns: its rows are numbers.");
        try
        {
            if (!request.Columns.IsEmpty) return request with { Rows = ClientRows.Encode(data, request.Columns), Columns = [] };
            var features = data.Columns.Length;
            return request.Rows.Length % features == 0 ? request with { Rows = ClientRows.Encode(data, request.Rows) } : throw NoRows(request.Rows.Length, features);
        }
        catch (DataException exception)
        {
            throw new RunRejectedException(exception.Message);
        }
    }

    private RunRejectedException NoRows(int numbers, int width) => new($"{numbers} numbers are no rows of run \"{run.Name}\": each row has {width}.");
}
