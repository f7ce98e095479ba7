using System.Net;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Security;

/// <summary>
/// Tells of connections that were refused, a few in each minute: anyone may knock, as often as they like, and must not fill a disk
/// with it. The others are counted.
/// </summary>
internal sealed class RefusalLog(TimeProvider time, ILogger log)
{
    private const int MostInWindow = 10;

    private static readonly TimeSpan s_window = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private long? _since;
    private int _told;
    private long _untold;

    public void Tell(EndPoint? peer, string reason)
    {
        long untold;
        lock (_lock)
        {
            untold = 0;
            if (_since is not { } since || time.GetElapsedTime(since) >= s_window) (_since, _told, untold, _untold) = (time.GetTimestamp(), 0, _untold, 0);
            if (_told == MostInWindow)
            {
                _untold++;
                return;
            }

            _told++;
        }

        if (untold > 0) log.MorePeersRefused(untold);
        log.PeerRefused(peer, reason);
    }
}
