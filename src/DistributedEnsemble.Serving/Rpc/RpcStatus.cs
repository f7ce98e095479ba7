using System.Globalization;
using System.Text;
using DistributedEnsemble.Serving.Authorization;
using Grpc.Core;

namespace DistributedEnsemble.Serving.Rpc;

/// <summary>How a call of gRPC is told that it failed: the codes that stand for those of HTTP.</summary>
internal static class RpcStatus
{
    private const string ContentType = "application/grpc";

    /// <summary>Whether a request is such a call, wherever it is refused.</summary>
    public static bool IsCall(HttpRequest request) => request.ContentType?.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase) == true;

    public static Status Of(HttpFailure failure) => new(failure.Status switch
    {
        0 => StatusCode.Cancelled,
        StatusCodes.Status400BadRequest => StatusCode.InvalidArgument,
        StatusCodes.Status401Unauthorized => StatusCode.Unauthenticated,
        StatusCodes.Status403Forbidden => StatusCode.PermissionDenied,
        StatusCodes.Status404NotFound => StatusCode.NotFound,
        StatusCodes.Status405MethodNotAllowed or StatusCodes.Status415UnsupportedMediaType or StatusCodes.Status426UpgradeRequired => StatusCode.Unimplemented,
        StatusCodes.Status413PayloadTooLarge or StatusCodes.Status429TooManyRequests => StatusCode.ResourceExhausted,
        StatusCodes.Status503ServiceUnavailable => StatusCode.Unavailable,
        StatusCodes.Status408RequestTimeout or StatusCodes.Status504GatewayTimeout => StatusCode.DeadlineExceeded,
        _ => StatusCode.Internal,
    }, failure.Message);

    /// <summary>Answers a call that was refused before its method began: with headers alone.</summary>
    public static void Write(HttpContext context, HttpFailure failure)
    {
        var (response, status) = (context.Response, Of(failure));
        (response.StatusCode, response.ContentType) = (StatusCodes.Status200OK, ContentType);
        AdminAudit.CameTo(context, failure.Status);
        if (failure.Status == StatusCodes.Status415UnsupportedMediaType) TakeUnpackedAlone(response);
        response.Headers["grpc-status"] = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = Encoded(status.Detail);
    }

    public static void TakeUnpackedAlone(HttpResponse response) => response.Headers["grpc-accept-encoding"] = "identity";

    /// <summary>All but printable ASCII as %XX.</summary>
    private static string Encoded(string message)
    {
        var text = new StringBuilder();
        foreach (var part in Encoding.UTF8.GetBytes(message))
        {
            if (part is >= 0x20 and <= 0x7E and not (byte)'%') text.Append((char)part);
            else text.Append(CultureInfo.InvariantCulture, $"%{part:X2}");
        }

        return text.ToString();
    }
}
