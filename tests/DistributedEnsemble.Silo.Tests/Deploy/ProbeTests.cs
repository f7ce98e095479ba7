using System.Reflection;
using DistributedEnsemble.Serving;

namespace DistributedEnsemble.Silo.Tests.Deploy;

public sealed class ProbeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ensemble-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_silo_that_answers_lives_and_is_not_asked_for_a_grain()
    {
        await using var server = await HttpServer.StartAsync(NoGrains.Create(), _folder, new HttpSettings { Url = "http://127.0.0.1:0" }, cancellation: TestContext.Current.CancellationToken);

        Assert.Equal(0, await ProbeAsync(server.Url));
        Assert.Equal(1, await ProbeAsync(server.Url, "--ready"));
    }

    [Fact]
    public async Task A_silo_behind_tls_on_every_address_is_asked_on_loopback()
    {
        await DeployFiles.RunAsync(_folder, DeployFiles.PathOf("deploy", "make-certificates"), ".", "silo-1");
        var settings = new HttpSettings
        {
            Url = "https://0.0.0.0:0", InferenceKey = "0123456789abcdef",
            Certificate = Path.Combine(_folder, "silo-1.crt"), CertificateKey = Path.Combine(_folder, "silo-1.key"),
        };
        await using var server = await HttpServer.StartAsync(NoGrains.Create(), _folder, settings, cancellation: TestContext.Current.CancellationToken);

        Assert.Equal(0, await ProbeAsync(server.Url));
    }

    [Fact]
    public async Task Nobody_there_is_no_life() => Assert.Equal(1, await ProbeAsync("http://127.0.0.1:1"));

    [Fact]
    public async Task An_address_that_is_none_is_a_mistake_of_the_caller() => Assert.Equal(2, await ProbeAsync("localhost"));

    private static Task<int> ProbeAsync(params string[] arguments) => SiloCommand.Create().Parse(["probe", .. arguments]).InvokeAsync();

    /// <summary>Whoever asks it for a grain fails.</summary>
    public class NoGrains : DispatchProxy
    {
        public static IGrainFactory Create() => Create<IGrainFactory, NoGrains>();

        protected override object Invoke(MethodInfo? targetMethod, object?[]? args) => throw new NotSupportedException("There are no grains.");
    }
}
