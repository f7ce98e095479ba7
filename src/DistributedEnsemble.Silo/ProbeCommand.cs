using System.CommandLine;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Serving;

namespace DistributedEnsemble.Silo;

/// <summary>Asks a silo on this machine whether it lives: what a container without curl checks its health with.</summary>
internal static class ProbeCommand
{
    private static readonly Argument<string?> Url = new("URL")
    {
        Description = "Where it serves HTTP (default: as for a silo in the same environment).",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<bool> Ready = new("--ready") { Description = "Ask whether the cluster answers too." };

    public static Command Create()
    {
        var command = new Command("probe", "Exits with 0 if the silo on this machine lives, and with 1 if it does not.") { Url, Ready };
        command.SetAction((arguments, cancellation) => RunAsync(
            arguments.GetValue(Url) ?? Environment.GetEnvironmentVariable("ENSEMBLE__HTTP") ?? ServingConfiguration.OfEnvironment().ServingUrl() ?? HttpSettings.DefaultUrl,
            arguments.GetValue(Ready), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string url, bool ready, CancellationToken cancellation)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var given) || given.Scheme is not ("http" or "https"))
        {
            await Console.Error.WriteLineAsync($"The URL is {OneLine.Excerpt(url)}: it takes http:// or https://, an address and a port, as in {HttpSettings.DefaultUrl}.");
            return 2;
        }
        // What listens on every address is asked on loopback.
        var address = given.Host is "0.0.0.0" or "[::]" ? "127.0.0.1" : given.Host;
        var target = new UriBuilder(given) { Host = address, Path = ready ? "/health/ready" : "/health/live" }.Uri;
        using var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        // Nothing is sent, and what a silo proves to its clients it need not prove to itself.
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null;
        using var client = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(4) };
        try
        {
            using var answer = await client.GetAsync(target, cancellation);
            if (answer.IsSuccessStatusCode) return 0;
            await Console.Error.WriteLineAsync($"{target} answered {(int)answer.StatusCode}.");
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            await Console.Error.WriteLineAsync($"{target} did not answer: {OneLine.Excerpt(exception.Message)}");
        }
        return 1;
    }
}
