using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using DistributedEnsemble.Messages;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Orleans.Runtime.Messaging;

namespace DistributedEnsemble.Grains.Security;

/// <summary>
/// Mutual TLS 1.3 under Orleans' protocol: not a byte of a peer reaches Orleans before the peer has proved that it holds a key
/// which the private authority signed.
/// </summary>
/// <remarks>
/// Names are not compared. The authority signs for one cluster alone, and whoever holds one of its certificates may call every
/// grain: knowing <em>which</em> peer answers would add nothing, and addresses of containers change at every start. What a
/// certificate may be used for is compared: one for clients only cannot stand in for a silo, neither where clients connect nor
/// where silos do.
/// </remarks>
internal abstract class MutualTls(TlsIdentitySource identities, ILogger log) : IConnectionMiddleware
{
    private const int LongestReason = 500;

    public abstract Task OnConnectionAsync(ConnectionContext context, ConnectionDelegate next);

    private protected abstract Task AuthenticateAsync(
        SslStream stream, TlsIdentity identity, RemoteCertificateValidationCallback check, CancellationToken cancellationToken);

    /// <exception cref="AuthenticationException">The peer proved nothing, or not in time.</exception>
    private protected async Task<SslStream> HandshakeAsync(ConnectionContext context)
    {
        var stream = new SslStream(new DuplexPipeStream(context.Transport), leaveInnerStreamOpen: true);
        string? refusal = null;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.ConnectionClosed);
        limit.CancelAfter(identities.Settings.HandshakeTimeout);
        try
        {
            await AuthenticateAsync(
                stream, identities.Current(log), (_, certificate, chain, errors) => (refusal = RefusalOf(certificate, chain, errors)) is null, limit.Token);
            return stream;
        }
        catch (Exception e)
        {
            await stream.DisposeAsync();
            // The words are partly the peer's.
            throw new AuthenticationException(OneLine.Of(refusal ?? ReasonOf(e, context), LongestReason), e);
        }
    }

    private static string? RefusalOf(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null) return "it has no certificate.";
        if ((errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None) return null;
        var reasons = chain?.ChainStatus.Select(status => status.StatusInformation.Trim().TrimEnd('.')).Distinct() ?? [];
        return $"its certificate \"{certificate.Subject}\" is not good here: {string.Join("; ", reasons)}.";
    }

    private protected static async Task RunAsync(ConnectionContext context, SslStream stream, ConnectionDelegate next)
    {
        var plain = context.Transport;
        await using (stream)
        {
            context.Transport = new DuplexPipe(
                PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true)),
                PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true)));
            try
            {
                await next(context);
            }
            finally
            {
                context.Transport = plain;
            }
        }
    }

    private string ReasonOf(Exception e, ConnectionContext context) => e switch
    {
        OperationCanceledException when context.ConnectionClosed.IsCancellationRequested => "it was closed during the TLS handshake.",
        OperationCanceledException => $"the TLS handshake took more than {identities.Settings.HandshakeTimeout.TotalSeconds:0.#} s.",
        AuthenticationException { InnerException: { } inner } => $"{e.Message.TrimEnd('.')}: {inner.Message}",
        _ => e.Message,
    };

    private sealed record DuplexPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}

/// <summary>The side that accepts connections: a silo's two ports.</summary>
/// <param name="silosOnly">Whether only silos may connect, whose certificates are for accepting connections, too.</param>
internal sealed class InboundMutualTls(TlsIdentitySource identities, RefusalLog refusals, bool silosOnly, ILogger log) : MutualTls(identities, log)
{
    public override async Task OnConnectionAsync(ConnectionContext context, ConnectionDelegate next)
    {
        SslStream stream;
        try
        {
            stream = await HandshakeAsync(context);
        }
        catch (AuthenticationException e)
        {
            // Anyone may knock: a line, not a stack trace, and the connection ends here.
            refusals.Tell(context.RemoteEndPoint, e.Message);
            return;
        }
        await RunAsync(context, stream, next);
    }

    private protected override Task AuthenticateAsync(
        SslStream stream, TlsIdentity identity, RemoteCertificateValidationCallback check, CancellationToken cancellationToken) =>
        stream.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls13,
                ServerCertificateContext = identity.Context,
                ClientCertificateRequired = true,
                CertificateChainPolicy = silosOnly ? identity.SiloPolicy : identity.ClientPolicy,
                RemoteCertificateValidationCallback = check,
                // A resumed session proves nothing anew, and would outlive its certificate.
                AllowTlsResume = false,
            },
            cancellationToken);
}

/// <summary>The side that opens connections: a silo to another silo, a client to a gateway.</summary>
internal sealed class OutboundMutualTls(TlsIdentitySource identities, ILogger log) : MutualTls(identities, log)
{
    // A failure goes to Orleans, which hands it to whoever waits for the connection.
    public override async Task OnConnectionAsync(ConnectionContext context, ConnectionDelegate next) =>
        await RunAsync(context, await HandshakeAsync(context), next);

    private protected override Task AuthenticateAsync(
        SslStream stream, TlsIdentity identity, RemoteCertificateValidationCallback check, CancellationToken cancellationToken) =>
        stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls13,
                ClientCertificateContext = identity.Context,
                CertificateChainPolicy = identity.ServerPolicy,
                RemoteCertificateValidationCallback = check,
                AllowTlsResume = false,
            },
            cancellationToken);
}
