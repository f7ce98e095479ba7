using System.Net;
using System.Net.Http.Headers;

namespace DistributedEnsemble.Serving.Tests;

/// <summary>A request's body whose end waits for the test.</summary>
internal sealed class Trickle : HttpContent
{
    private readonly byte[] _body;

    /// <param name="body">More than ten bytes.</param>
    public Trickle(byte[] body, string? mediaType = null)
    {
        _body = body;
        if (mediaType is not null) Headers.ContentType = new MediaTypeHeaderValue(mediaType);
    }

    public TaskCompletionSource HasBegun { get; } = new();
    public TaskCompletionSource Go { get; } = new();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.WriteAsync(_body.AsMemory(0, 10));
        await stream.FlushAsync();
        HasBegun.SetResult();
        await Go.Task;
        await stream.WriteAsync(_body.AsMemory(10));
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
