using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Silo.Http;
using DistributedEnsemble.Training;
using DistributedEnsemble.Training.Tables;
using DistributedEnsemble.Training.Tasks;

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

    /// <summary>Predicts the rows of a CSV file.</summary>
    /// <param name="file">What errors call it.</param>
    public PredictedRows Predict(string run, ConstituentChoice choice, Stream csv, string file)
    {
        if (!RunName.IsValid(run)) throw new UsageException($"\"{run}\" is not a run: {RunName.Rule}.");
        var data = Describe(Encoding.UTF8.GetString(Send(new HttpRequestMessage(HttpMethod.Get, $"/api/runs/{run}/data")).Body), run);
        return new PredictedRows(((Classification)data.Task).Classes, [.. RawRows.Read(csv, file, data).Select(rows => Infer(run, choice, data, rows))]);
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
                    shape = (long[])[rows.Length / data.Inputs.Width, .. data.InputShape],
                    parameters = new { binary_data_size = (long)rows.Length * sizeof(float) },
                },
            },
        });
        var content = new ByteArrayContent([.. json, .. MemoryMarshal.AsBytes(rows.AsSpan())]);
        content.Headers.Add(InferProtocol.JsonLength, $"{json.Length}");
        var (length, body) = Send(new HttpRequestMessage(HttpMethod.Post, $"/v2/models/{run}/infer") { Content = content });
        if (length < 0 || length > body.Length) throw Foreign($"says that {length} of {body.Length} bytes are JSON");
        var probabilities = MemoryMarshal.Cast<byte, float>(body.AsSpan(length)).ToArray();
        if (probabilities.Length != rows.Length / data.Inputs.Width * data.Task.Outputs)
            throw Foreign($"answers {rows.Length / data.Inputs.Width} rows with {probabilities.Length} probabilities");
        return probabilities.All(float.IsFinite) ? probabilities : throw Foreign("answers with probabilities that are not numbers");
    }

    private IOException Foreign(string what) => new($"{_client.BaseAddress} {what}: it is no server of this run.");

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
                var header = response.Headers.TryGetValues(InferProtocol.JsonLength, out var values) ? string.Join(",", values) : "0";
                return int.TryParse(header, out var length) ? (length, stream.ToArray()) : throw Foreign($"says {InferProtocol.JsonLength}: {header}");
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
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
