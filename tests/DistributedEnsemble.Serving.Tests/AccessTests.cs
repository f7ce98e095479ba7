using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Serving.Authorization;
using DistributedEnsemble.Serving.Rpc.Protocol;
using Grpc.Net.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Serving.Tests;

public sealed class AccessTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private const string InferenceKey = "inference-0123456789", AdminKey = "admin-0123456789abcdef";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "/v2/health/live", null, 200)]
    [InlineData("GET", "/v2/models/small", null, 401)]
    [InlineData("GET", "/v2/models/small", "wrong-0123456789", 401)]
    [InlineData("GET", "/v2/models/small", InferenceKey, 200)]
    [InlineData("GET", "/v2/models/small", AdminKey, 200)]
    [InlineData("GET", "/api/runs", InferenceKey, 200)]
    [InlineData("POST", "/v2/repository/models/small/load", InferenceKey, 403)]
    [InlineData("POST", "/v2/repository/models/small/load", AdminKey, 200)]
    [InlineData("POST", "/api/runs", InferenceKey, 403)]
    [InlineData("POST", "/api/runs", "wrong-0123456789", 401)]
    [InlineData("POST", "/api/runs/small/stop", null, 401)]
    [InlineData("GET", "/dashboard/", null, 401)]
    [InlineData("GET", "/dashboard/", InferenceKey, 403)]
    [InlineData("GET", "/dashboard/", AdminKey, 200)]
    [InlineData("GET", "/dashboard/GrainState", InferenceKey, 403)]
    [InlineData("GET", "/dashboard/index.min.js", null, 401)]
    public async Task Keys_open_what_they_are_for(string method, string path, string? key, int status)
    {
        var file = Path.Combine(served.RunsFolder, $"keys-{Guid.NewGuid():N}");
        await File.WriteAllTextAsync(file, $"another-0123456789\n{AdminKey}\n", Cancellation);
        await using var server = await served.StartAsync(new HttpSettings { InferenceKey = InferenceKey, AdminKeyFile = file });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        foreach (var header in new[] { ("Authorization", $"Bearer {key}"), ("X-Api-Key", $"{key}") })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            if (key is not null) request.Headers.TryAddWithoutValidation(header.Item1, header.Item2);
            using var response = await client.SendAsync(request, Cancellation);
            Assert.Equal(status, (int)response.StatusCode);
        }
    }

    [Fact]
    public async Task Without_an_admin_key_a_keyed_server_is_administered_by_nobody()
    {
        await using var server = await served.StartAsync(new HttpSettings { InferenceKey = InferenceKey });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        client.DefaultRequestHeaders.Add("X-Api-Key", InferenceKey);

        using var response = await client.PostAsync("/v2/repository/models/small/load", null, Cancellation);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal(
            "This needs an admin key, and the key that was sent is for predictions.",
            (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString());
    }

    [Fact]
    public async Task Another_address_of_loopback_is_served_by_its_own_name()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has all of 127.0.0.0/8 on loopback.");
        await using var server = await served.StartAsync(new HttpSettings { Url = "http://127.0.0.11:0" });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };

        using var response = await client.GetAsync("/v2/health/live", Cancellation);

        Assert.Equal(("127.0.0.11", HttpStatusCode.OK), (client.BaseAddress.Host, response.StatusCode));
    }

    [Theory]
    [InlineData("Host", "evil.example", 403)]
    [InlineData("Host", "localhost", 200)]
    [InlineData("Host", "127.0.0.1:1234", 200)]
    [InlineData("Host", "[::1]", 200)]
    [InlineData("Origin", "https://evil.example", 403)]
    [InlineData("Origin", "null", 403)]
    [InlineData("Origin", "http://127.0.0.1:OWN", 200)]
    [InlineData("Origin", "http://127.0.0.1:3000", 403)]
    [InlineData("Origin", "http://localhost:OWN", 403)]
    [InlineData("Origin", "https://127.0.0.1:OWN", 403)]
    [InlineData("Origin", "http://127.0.0.1", 403)]
    [InlineData("Sec-Fetch-Site", "cross-site", 403)]
    [InlineData("Sec-Fetch-Site", "same-site", 403)]
    [InlineData("Sec-Fetch-Site", "same-origin", 200)]
    [InlineData("Sec-Fetch-Site", "none", 200)]
    public async Task On_loopback_only_its_own_names_and_pages_are_served(string header, string value, int status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v2/health/live");
        request.Headers.TryAddWithoutValidation(header, value.Replace("OWN", $"{new Uri(served.Url).Port}"));

        using var response = await served.Client.SendAsync(request, Cancellation);

        Assert.Equal(status, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("/dashboard/", "navigate", "document", 200)]
    [InlineData("/dashboard/", "navigate", "iframe", 403)]
    [InlineData("/dashboard/index.min.js", "no-cors", "script", 403)]
    [InlineData("/api/runs", "navigate", "document", 403)]
    public async Task A_page_of_another_site_may_link_to_a_page_and_nothing_else(string path, string mode, string destination, int status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", "cross-site");
        request.Headers.TryAddWithoutValidation("Sec-Fetch-Mode", mode);
        request.Headers.TryAddWithoutValidation("Sec-Fetch-Dest", destination);

        using var response = await served.Client.SendAsync(request, Cancellation);

        Assert.Equal(status, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("/v2")]
    [InlineData("/nothing")]
    [InlineData("/metrics")]
    [InlineData("/dashboard/")]
    public async Task Every_answer_forbids_guessing_its_type_and_framing_it(string path)
    {
        using var response = await served.Client.GetAsync(path, Cancellation);

        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("frame-ancestors 'none'", response.Headers.GetValues("Content-Security-Policy").Single());
        Assert.Equal("DENY", response.Headers.GetValues("X-Frame-Options").Single());
    }

    [Fact]
    public async Task A_key_that_a_browser_s_user_typed_is_asked_for_again()
    {
        await using var server = await served.StartAsync(new HttpSettings { InferenceKey = InferenceKey, AdminKey = AdminKey });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        foreach (var (key, status) in new[] { (InferenceKey, HttpStatusCode.Unauthorized), (AdminKey, HttpStatusCode.OK) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/dashboard/");
            request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"me:{key}")));
            Assert.Equal(status, (await client.SendAsync(request, Cancellation)).StatusCode);
        }
    }

    [Fact]
    public async Task What_changes_something_leaves_a_line_that_names_the_key_and_does_not_show_it()
    {
        var log = new ConcurrentQueue<string>();
        await using var server = await HttpServer.StartAsync(
            served.Grains, served.RunsFolder, new HttpSettings { Url = "http://127.0.0.1:0", InferenceKey = InferenceKey, AdminKey = AdminKey },
            logs: logs => logs.AddProvider(new LogLines(log)), cancellation: Cancellation);
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        foreach (var (method, path, key) in new[]
        {
            ("POST", "/v2/repository/models/small/load", AdminKey), ("POST", "/v2/repository/models/no%1bbody/unload", AdminKey),
            ("POST", "/api/runs/small/stop", InferenceKey), ("POST", "/api/runs/small/stop", "wrong-0123456789"), ("GET", "/dashboard/", AdminKey),
        })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            request.Headers.Add("X-Api-Key", key);
            using var response = await client.SendAsync(request, Cancellation);
        }

        await ServedRuns.WaitAsync(() => Task.FromResult(log.Count(line => line.StartsWith(HttpServer.AuditCategory, StringComparison.Ordinal)) == 3));
        Assert.Equal(
            [
                $"{HttpServer.AuditCategory}: POST /v2/repository/models/small/load from 127.0.0.1 with key {ApiKeys.NameOf(AdminKey)}: 200.",
                $"{HttpServer.AuditCategory}: POST /v2/repository/models/no%1Bbody/unload from 127.0.0.1 with key {ApiKeys.NameOf(AdminKey)}: 404.",
                $"{HttpServer.AuditCategory}: POST /api/runs/small/stop from 127.0.0.1 with key {ApiKeys.NameOf(InferenceKey)}: 403.",
            ],
            log.Where(line => line.StartsWith(HttpServer.AuditCategory, StringComparison.Ordinal)));
        Assert.DoesNotContain(log, line => line.Contains(AdminKey, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("http://0.0.0.0:8000", null, false, "--http http://0.0.0.0:8000 is not on loopback: it needs an API key (ENSEMBLE__SERVING__INFERENCEKEYFILE) and TLS (an https address and ENSEMBLE__SERVING__CERTIFICATE, or ENSEMBLE__SERVING__BEHINDPROXY=true if a proxy in front of it ends TLS).")]
    [InlineData("http://10.0.0.1:8000", InferenceKey, false, "--http http://10.0.0.1:8000 is not on loopback: it needs TLS (an https address and ENSEMBLE__SERVING__CERTIFICATE, or ENSEMBLE__SERVING__BEHINDPROXY=true if a proxy in front of it ends TLS).")]
    [InlineData("http://[::]:8000", null, true, "--http http://[::]:8000 is not on loopback: it needs an API key (ENSEMBLE__SERVING__INFERENCEKEYFILE).")]
    [InlineData("http://127.0.0.1:8000", null, true, "--http http://127.0.0.1:8000 serves a proxy's clients: it needs an API key (ENSEMBLE__SERVING__INFERENCEKEYFILE).")]
    [InlineData("https://127.0.0.1:8000", null, false, "--http https://127.0.0.1:8000 is https: it needs a certificate (ENSEMBLE__SERVING__CERTIFICATE, a PEM file).")]
    [InlineData("127.0.0.1:8000", null, false, "--http is 127.0.0.1:8000: it takes http:// or https://, an IP address or localhost, and a port, as in http://127.0.0.1:8000.")]
    [InlineData("http://example.org:8000", null, false, "--http is http://example.org:8000: it takes http:// or https://, an IP address or localhost, and a port, as in http://127.0.0.1:8000.")]
    [InlineData("http://127.0.0.1:8000", "short", false, "ENSEMBLE__SERVING__INFERENCEKEY is shorter than 16 characters: a key must not be guessed (`openssl rand -hex 32` makes one).")]
    public async Task Settings_that_are_not_safe_are_refused_before_anything_listens(string url, string? key, bool behindProxy, string message)
    {
        var settings = new HttpSettings { Url = url, InferenceKey = key, BehindProxy = behindProxy };

        var refused = await Assert.ThrowsAsync<HttpSettingsException>(() => HttpServer.StartAsync(served.Grains, served.RunsFolder, settings, cancellation: Cancellation));

        Assert.Equal(message, refused.Message);
    }

    [Fact]
    public void Limits_out_of_range_are_refused_by_name() => Assert.Equal(
        "ENSEMBLE__SERVING__MAXROWS is 0: it must be a whole number from 1 to 10000000.",
        Assert.Throws<HttpSettingsException>(() => HttpSettingsCheck.Of(new HttpSettings { MaxRows = 0 })).Message);

    [Fact]
    public void A_larger_body_alone_lets_as_much_be_in_memory()
    {
        const int Most = 1 << 30;
        var given = new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("Ensemble:Serving:MaxBodyBytes", (string?)$"{Most}")]).Build();

        Assert.Equal(Most, given.ReadHttpSettings(url: null, grpcUrl: null).MaxBytesInFlight);
        Assert.Equal(Most, HttpSettingsCheck.Of(new HttpSettings { MaxBodyBytes = Most }).Settings.MaxBytesInFlight);
        Assert.Equal(
            "ENSEMBLE__SERVING__MAXBYTESINFLIGHT is 2000: it must be a whole number from 1073741824 to 2147483647.",
            Assert.Throws<HttpSettingsException>(() => HttpSettingsCheck.Of(new HttpSettings { MaxBodyBytes = Most, MaxBytesInFlight = 2000 })).Message);
    }

    [Fact]
    public async Task Off_loopback_it_serves_over_tls_with_a_key()
    {
        var (certificate, key) = Certificate();
        await using var server = await served.StartAsync(new HttpSettings
        {
            Url = "https://0.0.0.0:8000", InferenceKey = InferenceKey, Certificate = certificate, CertificateKey = key,
        });
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, given, _, _) => given?.Subject == "CN=ensemble-test" };
        using var client = new HttpClient(handler) { BaseAddress = new Uri(server.Url.Replace("0.0.0.0", "127.0.0.1")) };

        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/v2", Cancellation)).StatusCode);
        client.DefaultRequestHeaders.Add("X-Api-Key", InferenceKey);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v2", Cancellation)).StatusCode);
    }

    [Fact]
    public async Task Under_tls_grpc_and_http_share_a_port()
    {
        var (certificate, key) = Certificate();
        await using var server = await StartOnOnePortAsync();
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, given, _, _) => given?.Subject == "CN=ensemble-test" };
        using var client = new HttpClient(handler) { BaseAddress = new Uri(server.Url) };
        using var channel = GrpcChannel.ForAddress(server.GrpcUrl!, new GrpcChannelOptions { HttpHandler = handler });

        Assert.Equal(server.Url, server.GrpcUrl);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v2", Cancellation)).StatusCode);
        Assert.True((await new GRPCInferenceService.GRPCInferenceServiceClient(channel).ModelReadyAsync(new ModelReadyRequest { Name = "small" }, cancellationToken: Cancellation)).Ready);

        // Two that ask for any port get one each.
        async Task<HttpServer> StartOnOnePortAsync()
        {
            while (true)
            {
                var url = $"https://127.0.0.1:{Random.Shared.Next(20000, 30000)}";
                try
                {
                    return await served.StartAsync(new HttpSettings { Url = url, GrpcUrl = url, Certificate = certificate, CertificateKey = key });
                }
                catch (IOException exception) when (exception.Message.Contains("cannot be listened on", StringComparison.Ordinal))
                {
                    // Somebody has the port.
                }
            }
        }
    }

    private (string Certificate, string Key) Certificate()
    {
        using var rsa = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=ensemble-test", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var path = Path.Combine(served.RunsFolder, $"certificate-{Guid.NewGuid():N}");
        File.WriteAllText($"{path}.pem", certificate.ExportCertificatePem());
        File.WriteAllText($"{path}.key", rsa.ExportPkcs8PrivateKeyPem());
        return ($"{path}.pem", $"{path}.key");
    }
}
