using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving;
using DistributedEnsemble.Serving.Inference;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Client.Servers;

/// <summary>A server of predictions, asked with the Open Inference Protocol v2 and its binary tensors.</summary>
internal sealed class PredictionServer : IDisposable
{
    /// <summary>The environment variable with the key of a server that asks for one.</summary>
    public const string KeyVariable = "ENSEMBLE_API_KEY";

    private const int LongestError = 500;

    private readonly HttpClient _client;

    public PredictionServer(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.PathAndQuery != "/")
            throw new UsageException($"--url is {url}: it takes http:// or https:// and the server's address, as in {HttpSettings.DefaultUrl}.");
        _client = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(2) };
        if (Environment.GetEnvironmentVariable(KeyVariable)?.Trim() is not { Length: > 0 } key) return;
        if (!key.All(char.IsAscii) || key.Any(char.IsControl)) throw new UsageException($"{KeyVariable} has characters that no key has: it is one line of ASCII.");
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>Predicts rows or images.</summary>
    /// <param name="coverage">The share of rows that intervals shall hold; null for the default.</param>
    /// <param name="open">What is predicted, as the run's data was.</param>
    /// <param name="write">Gets the predictions, which are made while it takes them.</param>
    /// <exception cref="OperationCanceledException">It was given up, also while rows are taken.</exception>
    public void Predict(
        string run, ConstituentChoice choice, double? coverage, Func<DataDescription, IRowBatches> open, Action<PredictedRows> write, CancellationToken cancellation)
    {
        if (!RunName.IsValid(run)) throw new UsageException($"\"{run}\" is not a run: {RunName.Rule}.");
        var data = Describe(Encoding.UTF8.GetString(Send(new HttpRequestMessage(HttpMethod.Get, $"/api/runs/{run}/data"), cancellation).Body), run);
        OutputDescription[] columns = [.. data.Task.TableColumns(coverage), .. choice.EarlyExit > 0 ? [OutputDescription.MembersUsed] : Array.Empty<OutputDescription>()];
        using var rows = open(data);
        write(PredictedRows.Begin(columns, rows.PassedColumns, rows.Batches().Select(batch => Infer(run, Parameters(choice, coverage), data, rows, batch, columns, cancellation))));
    }

    public void Dispose() => _client.Dispose();

    private DataDescription Describe(string json, string run)
    {
        try
        {
            return DataDescription.FromJson(json, $"{run}'s data.json");
        }
        catch (DataException)
        {
            throw Foreign("describes no data of a run");
        }
    }

    private PredictedBatch Infer(
        string run, Dictionary<string, object> parameters, DataDescription data, IRowBatches source, TableBatch batch, OutputDescription[] columns,
        CancellationToken cancellation)
    {
        var count = batch.Rows;
        var json = JsonSerializer.SerializeToUtf8Bytes(new
        {
            parameters,
            inputs = source is PredictedTable table && data.Table is not null ? table.Columns(batch).Select(CellsOf).ToArray() : [NumbersOf(data, batch)],
            outputs = columns.Select(column => new { name = column.Name }),
        });
        var content = new ByteArrayContent(data.Table is null ? [.. json, .. MemoryMarshal.AsBytes(batch.Inputs)] : json);
        content.Headers.Add(InferProtocol.JsonLength, $"{json.Length}");
        var (length, body) = Send(new HttpRequestMessage(HttpMethod.Post, $"/v2/models/{run}/infer") { Content = content }, cancellation);
        if (length < 0 || length > body.Length) throw Foreign($"says that {length} of {body.Length} bytes are JSON");
        ReadOnlyMemory<byte> rest = body.AsMemory(length);
        var values = columns.Select(column => Read(column, count, ref rest)).ToArray();
        if (!rest.IsEmpty) throw Foreign($"answers {count} rows with {rest.Length} bytes too many");
        return new PredictedBatch(count, values, batch.Passed);
    }

    /// <summary>All numbers of each row, behind the JSON.</summary>
    private static object NumbersOf(DataDescription data, TableBatch batch) => new
    {
        name = InferProtocol.InputName,
        datatype = "FP32",
        shape = (long[])[batch.Rows, .. data.InputShape],
        parameters = new { binary_data_size = (long)batch.Inputs.Length * sizeof(float) },
    };

    /// <summary>A column of a table, as text: an empty one is missing.</summary>
    private static object CellsOf(RowColumn column) => new { name = column.Name, datatype = ServedColumn.Text, shape = (long[])[column.Count, 1], data = column.Texts };

    /// <summary>Takes one output from the front of an answer.</summary>
    private OutputValues Read(OutputDescription column, int rows, ref ReadOnlyMemory<byte> rest)
    {
        var count = rows * column.Width;
        if (column.Datatype == "BYTES") return new OutputValues(column.Name) { Texts = [.. Texts(count, ref rest)] };
        var bytes = count * (column.Datatype == "INT64" ? sizeof(long) : sizeof(float));
        if (bytes > rest.Length) throw Foreign($"answers {rows} rows with {rest.Length} bytes of {column.Name}");
        var values = rest.Span[..bytes];
        rest = rest[bytes..];
        if (column.Datatype == "INT64") return new OutputValues(column.Name) { Integers = [.. MemoryMarshal.Cast<byte, long>(values)] };
        var numbers = MemoryMarshal.Cast<byte, float>(values).ToArray();
        return numbers.All(float.IsFinite)
            ? new OutputValues(column.Name) { Numbers = [.. numbers] }
            : throw Foreign($"answers with {column.Name} that are not numbers");
    }

    private List<string> Texts(int count, ref ReadOnlyMemory<byte> rest)
    {
        var texts = new List<string>(count);
        while (texts.Count < count)
        {
            if (rest.Length < sizeof(int)) throw Foreign($"answers with {texts.Count} of {count} texts");
            var length = BinaryPrimitives.ReadInt32LittleEndian(rest.Span);
            if (length < 0 || length > rest.Length - sizeof(int)) throw Foreign($"answers with a text of {length} bytes");
            texts.Add(Encoding.UTF8.GetString(rest.Span.Slice(sizeof(int), length)));
            rest = rest[(sizeof(int) + length)..];
        }

        return texts;
    }

    private IOException Foreign(string what) => new($"{_client.BaseAddress} {what}: it is no server of this run.");

    /// <summary>Only what was chosen: the rest is as the run's spec has it.</summary>
    private static Dictionary<string, object> Parameters(ConstituentChoice choice, double? coverage)
    {
        var parameters = new Dictionary<string, object> { ["binary_data_output"] = true };
        if (choice.From is { } from) parameters["from"] = from.ToString().ToLowerInvariant();
        if (choice.Select is { } select) parameters["select"] = select;
        if (choice.Members is { } members) parameters["members"] = members;
        if (choice.MonteCarloSamples is { } samples) parameters["monte_carlo_samples"] = samples;
        if (choice.EarlyExit is { } probability) parameters["early_exit"] = probability;
        if (coverage is { } share) parameters["coverage"] = share;
        return parameters;
    }

    /// <returns>The body, and how many bytes of it are JSON.</returns>
    private (int JsonLength, byte[] Body) Send(HttpRequestMessage request, CancellationToken cancellation)
    {
        using (request)
        {
            try
            {
                using var response = _client.Send(request, cancellation);
                using var stream = new MemoryStream();
                response.Content.ReadAsStream(cancellation).CopyTo(stream);
                if (!response.IsSuccessStatusCode) throw Refused(response.StatusCode, stream.ToArray());
                var header = response.Headers.TryGetValues(InferProtocol.JsonLength, out var values) ? string.Join(",", values) : "0";
                return int.TryParse(header, out var length) ? (length, stream.ToArray()) : throw Foreign($"says {InferProtocol.JsonLength}: {header}");
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !cancellation.IsCancellationRequested)
            {
                if (exception.InnerException is AuthenticationException untrusted)
                    throw new ServerUnreachableException($"{_client.BaseAddress} is not trusted: {untrusted.Message.TrimEnd('.')}. SSL_CERT_FILE names a file of certificates to trust.");
                throw new ServerUnreachableException($"{_client.BaseAddress} does not answer: {exception.Message.TrimEnd('.')}. `ensemble serve` starts a server.");
            }
        }
    }

    private Exception Refused(HttpStatusCode status, byte[] body)
    {
        var message = $"{_client.BaseAddress} says: {ErrorOf(body) ?? $"{(int)status} {status}"}";
        if (status == HttpStatusCode.Unauthorized) message += $" {KeyVariable} is the variable for it.";
        return (int)status < 500 && status != HttpStatusCode.TooManyRequests ? new UsageException(message) : new IOException(message);
    }

    private static string? ErrorOf(byte[] body)
    {
        try
        {
            return JsonElement.Parse(body).GetProperty("error").GetString() is { } error ? OneLine.Of(error, LongestError) : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }
}
