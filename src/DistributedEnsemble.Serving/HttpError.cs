namespace DistributedEnsemble.Serving;

/// <summary>A request that is answered with {"error": …}; the message is one line for people.</summary>
internal sealed class HttpError(int status, string message) : Exception(message)
{
    public int Status => status;

    public static HttpError BadRequest(string message) => new(StatusCodes.Status400BadRequest, message);

    public static HttpError Forbidden(string message) => new(StatusCodes.Status403Forbidden, message);

    public static HttpError NotFound(string message) => new(StatusCodes.Status404NotFound, message);

    public static HttpError TooLarge(string message) => new(StatusCodes.Status413PayloadTooLarge, message);

    public static HttpError TooMany(string message) => new(StatusCodes.Status429TooManyRequests, message);

    public static HttpError TimedOut(string message) => new(StatusCodes.Status504GatewayTimeout, message);

    public static HttpError Unavailable(string message) => new(StatusCodes.Status503ServiceUnavailable, message);
}
