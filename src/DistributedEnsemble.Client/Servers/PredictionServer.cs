using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text.Json;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Silo.Http;
using DistributedEnsemble.Training;

namespace DistributedEnsemble.Client.Servers;

/// <summary>A server of predictions, asked with the Open Inference Protocol v2 and its binary tensors.</summary>
internal sealed class PredictionServer : IDisposable
{
    /// <summary>The environment variable with the key of a server that asks for one.</summary>
    public const string KeyVariable = "ENSEMBLE_API_KEY";

    private readonly HttpClient _client;

    public PredictionServer(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new UsageException($"--url is {url}: it takes http:// or https:// and the server's address, as in {HttpSettings.DefaultUrl}.");
        _client = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(2) };
        if (Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key)
            _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>Predicts the rows of a CSV file.</summary>
    /// <param name="file">What errors call it.</param>
    public PredictedRows Predict(string run, ConstituentChoice choice, Stream csv, string file)
    {
        if (!RunName.IsValid(run)) throw new UsageException($"\"{run}\" is not a run: {RunName.Rule}.");
        var data = DataDescription.FromJson(System.Text.Encoding.UTF8.GetString(Send(new HttpRequestMessage(HttpMethod.Get, $"/api/runs/{run}/data")).Body), $"{run}'s data.json");
        return new PredictedRows(data.Classes, [.. RawRows.Read(csv, file, data).Select(rows => Infer(run, choice, data, rows))]);
    }

    public void Dispose() => _client.Dispose();

    /// <returns>Class probabilities, [rows, classes], row after row.</returns>
    private float[] Infer(string run, ConstituentChoice choice, DataDescription data, float[] rows)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(new
        {
            parameters = Parameters(choice),
            inputs = new[]
            {
                new
                {
                    name = InferProtocol.InputName,
                    datatype = "FP32",
                    shape = (long[])[rows.Length / data.Columns.Length, .. data.InputShape],
                    parameters = new { binary_data_size = (long)rows.Length * sizeof(float) },
                },
            },
        });
        var content = new ByteArrayContent([.. json, .. MemoryMarshal.AsBytes(rows.AsSpan())]);
        content.Headers.Add(InferProtocol.JsonLength, $"{json.Length}");
        var (length, body) = Send(new HttpRequestMessage(HttpMethod.Post, $"/v2/models/{run}/infer") { Content = content });
        var probabilities = MemoryMarshal.Cast<byte, float>(body.AsSpan(length)).ToArray();
        return probabilities.Length == rows.Length / data.Columns.Length * data.Classes.Length ? probabilities : throw new IOException(
            $"{_client.BaseAddress} answers {rows.Length / data.Columns.Length} rows with {probabilities.Length} probabilities: it is no server of this run.");
    }

    /// <summary>Only what was chosen: the rest is as the run's spec has it.</summary>
    private static Dictionary<string, object> Parameters(ConstituentChoice choice)
    {
        var parameters = new Dictionary<string, object> { ["binary_data_output"] = true };
        if (choice.From is { } from) parameters["from"] = from.ToString().ToLowerInvariant();
        if (choice.Select is { } select) parameters["select"] = select;
        if (choice.Members is { } members) parameters["members"] = members;
        if (choice.MonteCarloSamples is { } samples) parameters["monte_carlo_samples"] = samples;
        return parameters;
    }

    /// <returns>The body, and how many bytes of it are JSON.</returns>
    private (int JsonLength, byte[] Body) Send(HttpRequestMessage request)
    {
        using (request)
        {
            try
            {
                using var response = _client.Send(request);
                using var stream = new MemoryStream();
                response.Content.ReadAsStream().CopyTo(stream);
                if (!response.IsSuccessStatusCode) throw Refused(response.StatusCode, stream.ToArray());
                var length = response.Headers.TryGetValues(InferProtocol.JsonLength, out var header) ? int.Parse(header.Single()) : 0;
                return (length, stream.ToArray());
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
            {
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
            return JsonElement.Parse(body).GetProperty("error").GetString();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }
}
