using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Client.Trackers;

/// <summary>An MLflow tracking server, by its REST protocol 2.0.</summary>
internal sealed class MlflowServer : IDisposable
{
    /// <summary>The variable with the token of a server that asks for one, as MLflow's own clients call it.</summary>
    private const string TokenVariable = "MLFLOW_TRACKING_TOKEN";

    /// <summary>Of an answer: none of those that are asked for is long.</summary>
    private const long MostBytes = 16 << 20;

    private readonly HttpClient _client;

    /// <exception cref="UsageException">It is no address.</exception>
    public MlflowServer(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new UsageException($"--mlflow is {url}: it takes the address of a tracking server, as in http://127.0.0.1:5000.");
        _client = new HttpClient { BaseAddress = new Uri($"{url.TrimEnd('/')}/"), Timeout = TimeSpan.FromSeconds(30), MaxResponseContentBufferSize = MostBytes };
        if (Environment.GetEnvironmentVariable(TokenVariable) is { Length: > 0 } token) _client.DefaultRequestHeaders.Authorization = new("Bearer", token);
    }

    /// <summary>Asks for a method of the protocol.</summary>
    /// <exception cref="ServerUnreachableException">There is no answer.</exception>
    /// <exception cref="IOException">The server refuses.</exception>
    public Task<JsonElement> PostAsync(string method, object body) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Post, $"api/2.0/mlflow/{method}") { Content = JsonContent.Create(body) });

    /// <returns>The id of the experiment of that name, which is made if it is not there.</returns>
    public async Task<string> ExperimentAsync(string name)
    {
        try
        {
            var found = await SendAsync(new HttpRequestMessage(HttpMethod.Get, $"api/2.0/mlflow/experiments/get-by-name?experiment_name={Uri.EscapeDataString(name)}"));
            return TextOf(found, "experiment", "experiment_id");
        }
        catch (MlflowException exception) when (exception.Code == "RESOURCE_DOES_NOT_EXIST")
        {
            return TextOf(await PostAsync("experiments/create", new { name }), "experiment_id");
        }
    }

    /// <summary>A text of an answer.</summary>
    /// <param name="path">The names that lead to it.</param>
    /// <exception cref="IOException">It is not there.</exception>
    public string TextOf(JsonElement answer, params ReadOnlySpan<string> path)
    {
        foreach (var name in path) if (answer.ValueKind != JsonValueKind.Object || !answer.TryGetProperty(name, out answer)) answer = default;
        return answer.ValueKind == JsonValueKind.String ? answer.GetString()! : throw new MlflowException("", $"{_client.BaseAddress} answers without {path[^1]}: it is no tracking server.");
    }

    /// <summary>Whether the server takes a run's files itself; elsewhere they are stored by clients of that store.</summary>
    /// <param name="root">The run's artifact_uri.</param>
    public static bool TakesFiles(string root) => Uri.TryCreate(root, UriKind.Absolute, out var uri) && uri.Scheme == "mlflow-artifacts";

    /// <summary>Stores a file of a run, where the server itself takes files.</summary>
    /// <param name="root">The run's artifact_uri, for which <see cref="TakesFiles"/>.</param>
    public Task PutAsync(string root, string name, byte[] bytes)
    {
        // mlflow-artifacts:/PATH, or mlflow-artifacts://HOST/PATH: the host is this server's, as it is seen from itself.
        var path = new Uri(root).AbsolutePath.TrimStart('/');
        return SendAsync(new HttpRequestMessage(HttpMethod.Put, $"api/2.0/mlflow-artifacts/artifacts/{path}/{Uri.EscapeDataString(name)}") { Content = new ByteArrayContent(bytes) });
    }

    public void Dispose() => _client.Dispose();

    private async Task<JsonElement> SendAsync(HttpRequestMessage request)
    {
        using (request)
        {
            try
            {
                using var response = await _client.SendAsync(request);
                var text = await response.Content.ReadAsStringAsync();
                if (response.IsSuccessStatusCode) return text.Length == 0 ? default : JsonElement.Parse(text);
                throw Refused(response.StatusCode, text);
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
            {
                throw new ServerUnreachableException($"The tracking server {_client.BaseAddress} does not answer: {OneLine.Of(exception.Message).TrimEnd('.')}. `mlflow server` starts one.");
            }
            catch (JsonException)
            {
                throw new MlflowException("", $"{_client.BaseAddress} answers with what is not JSON: it is no tracking server.");
            }
        }
    }

    private MlflowException Refused(HttpStatusCode status, string text)
    {
        try
        {
            var error = JsonElement.Parse(text);
            return new MlflowException(error.GetProperty("error_code").GetString() ?? "", $"The tracking server says: {OneLine.Of(error.GetProperty("message").GetString(), 500)}");
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return new MlflowException("", $"The tracking server {_client.BaseAddress} answers {(int)status} {status}.");
        }
    }
}

/// <summary>A tracking server refuses; the message is one line for people.</summary>
/// <param name="code">As the protocol calls it.</param>
internal sealed class MlflowException(string code, string message) : IOException(message)
{
    public string Code => code;
}
