using System.IO.Pipelines;
using Grpc.Core;

namespace DistributedEnsemble.Serving.Rpc;

/// <summary>
/// What somebody sends message after message, none of it packed: a packed message says nothing of the memory that it takes. The library
/// would fail at it, because it has nothing to unpack it with.
/// </summary>
/// <param name="messages">The library takes whole messages from it: what is read begins with one.</param>
internal sealed class UnpackedMessages(PipeReader messages, HttpResponse response) : PipeReader
{
    public const string Refusal = "The message is packed: send it as it is, without the client's compression.";

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) => Checked(await messages.ReadAsync(cancellationToken));

    public override bool TryRead(out ReadResult result)
    {
        if (!messages.TryRead(out result)) return false;
        Checked(result);
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => messages.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => messages.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => messages.CancelPendingRead();

    public override void Complete(Exception? exception = null) => messages.Complete(exception);

    private ReadResult Checked(ReadResult read)
    {
        if (read.Buffer.FirstSpan is not [not 0, ..]) return read;
        messages.AdvanceTo(read.Buffer.Start);
        if (!response.HasStarted) RpcStatus.TakeUnpackedAlone(response);
        throw new RpcException(new Status(StatusCode.Unimplemented, Refusal));
    }
}
