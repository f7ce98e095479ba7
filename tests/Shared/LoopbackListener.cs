using System.Net;

namespace DistributedEnsemble.Tests;

/// <summary>HTTP on a port of loopback that nobody else has.</summary>
internal static class LoopbackListener
{
    public static HttpListener Start()
    {
        while (true)
        {
            // One that could not start is closed for good.
            var listener = new HttpListener { Prefixes = { $"http://127.0.0.1:{Random.Shared.Next(20000, 30000)}/" } };
            try
            {
                listener.Start();
                return listener;
            }
            catch (HttpListenerException)
            {
                // Somebody has the port.
            }
        }
    }
}
