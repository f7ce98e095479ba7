using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DistributedEnsemble.Client.Servers;
using DistributedEnsemble.Serving;

namespace DistributedEnsemble.Client.Tests.Servers;

public sealed class ServerExamplesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ensemble-").FullName;

    [Fact]
    public void Without_a_key_and_tls_an_example_is_the_address_alone()
    {
        var examples = new ServerExamples("http://127.0.0.1:8000", new HttpSettings(), null);

        Assert.Null(examples.Before);
        Assert.Equal("curl http://127.0.0.1:8000/v2", examples.Curl("/v2"));
        Assert.Equal("ensemble predict r --input rows.csv --url http://127.0.0.1:8000", examples.Predict("r"));
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1", "")]
    [InlineData("serving.example", "serving.example", "--resolve serving.example:8443:127.0.0.1 ")]
    public void What_listens_everywhere_is_asked_by_a_name_of_its_certificate_with_its_key(string name, string host, string resolve)
    {
        var certificate = Certificate(name);
        var examples = new ServerExamples("https://0.0.0.0:8443", new HttpSettings { Certificate = certificate, InferenceKeyFile = "keys" }, null);

        Assert.Equal("export ENSEMBLE_API_KEY=$(head -n 1 keys)", examples.Before);
        Assert.Equal($"curl {resolve}--cacert {certificate} -H \"Authorization: Bearer $ENSEMBLE_API_KEY\" https://{host}:8443/v2", examples.Curl("/v2"));
        Assert.Equal($"SSL_CERT_FILE={certificate} ensemble predict r --input rows.csv --url https://{host}:8443", examples.Predict("r"));
    }

    [Theory]
    [InlineData("authority.crt", "authority.crt")]
    [InlineData(null, "AUTHORITY.crt")]
    public void A_certificate_that_another_issued_is_trusted_by_its_issuer_s(string? authority, string trusted)
    {
        var examples = new ServerExamples("https://127.0.0.1:8443", new HttpSettings { Certificate = Certificate("127.0.0.1", "CN=authority") }, authority);

        Assert.Equal($"curl --cacert {trusted} https://127.0.0.1:8443/v2", examples.Curl("/v2"));
    }

    [Theory]
    [InlineData("http://0.0.0.0:8000", "http://127.0.0.1:8000")]
    [InlineData("http://[::]:8000", "http://[::1]:8000")]
    public void Every_address_is_no_address_to_ask(string url, string asked) =>
        Assert.Equal($"curl -H \"Authorization: Bearer $ENSEMBLE_API_KEY\" {asked}/v2", new ServerExamples(url, new HttpSettings { InferenceKey = "0123456789abcdef" }, null).Curl("/v2"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Certificate(string name, string? issuer = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (System.Net.IPAddress.TryParse(name, out var address)) names.AddIpAddress(address);
        else names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        var (from, until) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var certificate = issuer is null
            ? request.CreateSelfSigned(from, until)
            : request.Create(new X500DistinguishedName(issuer), X509SignatureGenerator.CreateForECDsa(key), from, until, [1, 2, 3]);
        var path = Path.Combine(_folder, "server.crt");
        File.WriteAllText(path, certificate.ExportCertificatePem());
        return path;
    }
}
