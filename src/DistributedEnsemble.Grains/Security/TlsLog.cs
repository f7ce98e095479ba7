using System.Net;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Security;

internal static partial class TlsLog
{
    [LoggerMessage(80, LogLevel.Warning, "A connection from {Peer} was refused: {Reason}")]
    public static partial void PeerRefused(this ILogger log, EndPoint? peer, string reason);

    [LoggerMessage(83, LogLevel.Warning, "{Count} more connections were refused since then.")]
    public static partial void MorePeersRefused(this ILogger log, long count);

    [LoggerMessage(81, LogLevel.Information, "The certificate in {File} was renewed; it is valid until {End:yyyy-MM-dd}.")]
    public static partial void CertificateRenewed(this ILogger log, string file, DateTime end);

    [LoggerMessage(82, LogLevel.Warning, "The certificate files changed and cannot be used, so the former ones stay in use: {Reason}")]
    public static partial void CertificateNotRenewed(this ILogger log, string reason);
}
