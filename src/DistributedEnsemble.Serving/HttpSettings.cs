using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Serving;

/// <summary>Where and for whom a silo serves HTTP, and how much of it: the section Ensemble:Serving of the configuration.</summary>
public sealed record HttpSettings
{
    /// <summary>Of the memory that the process may take. Beside what is counted there are its copies on the way, weights, and the runtime.</summary>
    private const int PartsOfMemory = 5;

    /// <summary>Looked at once: what asks is each request.</summary>
    private static readonly int s_bytesInFlight = (int)ProcessMemory.Share(256 << 20, PartsOfMemory);

    private readonly int? _bytesInFlight;

    public const string DefaultUrl = "http://127.0.0.1:8000";

    /// <summary>Scheme, address and port; port 0 takes a free one.</summary>
    public string Url { get; init; } = DefaultUrl;

    /// <summary>
    /// Where gRPC is served, as <see cref="Url"/>; null is nowhere. Without TLS it needs a port of its own: what a connection speaks
    /// cannot be agreed on.
    /// </summary>
    public string? GrpcUrl { get; init; }

    /// <summary>Who may predict and look at runs; null asks nobody for a key.</summary>
    public string? InferenceKey { get; init; }

    /// <summary>A file with one such key on each line.</summary>
    public string? InferenceKeyFile { get; init; }

    /// <summary>Who may start and stop runs, load and unload models, and see the dashboard.</summary>
    public string? AdminKey { get; init; }

    /// <summary>A file with one such key on each line.</summary>
    public string? AdminKeyFile { get; init; }

    /// <summary>PEM file of the certificate chain; needed for https.</summary>
    public string? Certificate { get; init; }

    /// <summary>PEM file of the certificate's private key; null if the certificate's file holds it.</summary>
    public string? CertificateKey { get; init; }

    /// <summary>Whether a proxy in front ends TLS, so that plain http off loopback is meant.</summary>
    public bool BehindProxy { get; init; }

    /// <summary>Host names that requests may carry; empty takes any off loopback, and loopback's own names on it.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Bytes of one request's body; by default no more than <see cref="MaxBytesInFlight"/> has by default.</summary>
    public int MaxBodyBytes { get; init; } = (int)ProcessMemory.Share(64 << 20, PartsOfMemory);

    /// <summary>Bytes of one answer to a request for predictions, as counted before they are computed.</summary>
    public int MaxResponseBytes { get; init; } = 64 << 20;

    /// <summary>
    /// Bytes of all requests and answers that are in memory at once; by default a fifth at most of what the process may take, and no
    /// less than <see cref="MaxBodyBytes"/>.
    /// </summary>
    public int MaxBytesInFlight
    {
        get => _bytesInFlight ?? Math.Max(MaxBodyBytes, s_bytesInFlight);
        init => _bytesInFlight = value;
    }

    /// <summary>Rows of one request.</summary>
    public int MaxRows { get; init; } = 16384;

    /// <summary>Brackets within brackets of a request's JSON.</summary>
    public int MaxJsonDepth { get; init; } = 16;

    /// <summary>Dropout masks that a request may ask for.</summary>
    public int MaxMonteCarloSamples { get; init; } = 1000;

    /// <summary>Predictions at once, each from the last byte of its body on; the next one is refused.</summary>
    public int MaxConcurrentRequests { get; init; } = 1024;

    /// <summary>Watchers of runs at once; the next one is refused.</summary>
    public int MaxEventStreams { get; init; } = 64;

    /// <summary>Runs on one page of the list of runs.</summary>
    public int MaxPageSize { get; init; } = 1000;

    /// <summary>Connections from one address at once; the one that has been silent for longest makes room for the next.</summary>
    public int MaxConnectionsPerAddress { get; init; } = 2048;

    /// <summary>Seconds in which a request's headers must have come, and a connection's handshake before them.</summary>
    public int HeaderTimeoutSeconds { get; init; } = 10;

    /// <summary>Seconds for which a connection may be silent before its first request and between two.</summary>
    public int KeepAliveSeconds { get; init; } = 60;

    /// <summary>Seconds in which a request is answered, reading it included.</summary>
    public int RequestTimeoutSeconds { get; init; } = 30;
}

/// <summary>A setting that cannot be served with; the message is one line for people.</summary>
public sealed class HttpSettingsException(string message) : Exception(message);
