using System.Text.RegularExpressions;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Serving.Runs;
using DistributedEnsemble.Serving.Telemetry;
using DistributedEnsemble.Training.Safetensors;

namespace DistributedEnsemble.Serving;

/// <summary>How a request failed: what its client is told, and as what it is counted.</summary>
/// <param name="Message">One line for people that shows nothing of the server's insides.</param>
/// <param name="Outcome">refused, overloaded, unavailable, timeout, cancelled or failed.</param>
internal sealed partial record HttpFailure(int Status, string Message, string Outcome)
{
    private const string NoAnswer = "The cluster does not answer: ask again in a moment.";

    /// <param name="seconds">How long a request may take.</param>
    public static HttpFailure Of(HttpContext context, Exception exception, int seconds) => exception switch
    {
        HttpError error => Of(error.Status, error.Message),
        RunRejectedException refused => Of(
            refused.IsForNow ? StatusCodes.Status429TooManyRequests : StatusCodes.Status400BadRequest, Remedies.Line(refused)),
        OverloadedException => Of(StatusCodes.Status429TooManyRequests, exception.Message),
        OutOfMemoryException => Of(StatusCodes.Status503ServiceUnavailable, "The server has too little memory for this now: ask for fewer rows, or again in a moment."),
        QuorumException => Of(StatusCodes.Status503ServiceUnavailable, exception.Message),
        _ when Damage(exception) is { } damage => Of(StatusCodes.Status500InternalServerError, damage),
        _ when RequestTimeout.HasPassed(context) => Of(StatusCodes.Status504GatewayTimeout, $"There was no answer within {seconds} s."),
        OperationCanceledException or IOException when context.RequestAborted.IsCancellationRequested => new HttpFailure(0, "The client has left.", "cancelled"),
        BadHttpRequestException bad => Of(bad.StatusCode, bad.Message),
        TimeoutException => Of(StatusCodes.Status504GatewayTimeout, NoAnswer),
        OrleansException or OperationCanceledException => Of(StatusCodes.Status503ServiceUnavailable, NoAnswer),
        _ => Of(StatusCodes.Status500InternalServerError, "The server failed at this request; its log says why."),
    };

    /// <summary>Tells people of it where they have to look: at a server's fault, and where memory ran out, which a fault of its own may cause.</summary>
    public void Log(ILogger log, Exception exception, HttpRequest request)
    {
        if (Status == StatusCodes.Status500InternalServerError || exception is OutOfMemoryException) log.RequestFailed(exception, OneLine.Excerpt(request.Path));
    }

    /// <summary>What is damaged of the store, by its name below the folder of the runs; null if that is not why.</summary>
    private static string? Damage(Exception? exception) => exception switch
    {
        null => null,
        InvalidDataException or SafetensorsException => Folders().Replace(exception.Message, "$1"),
        // What a grain cannot be activated for comes wrapped.
        _ => Damage(exception.InnerException),
    };

    [GeneratedRegex(@"(?<!\S)(?:/[^/\s]+)*/([^/\s]+/[^/\s]+)")]
    private static partial Regex Folders();

    private static HttpFailure Of(int status, string message) => new(status, OneLine.Of(message), status switch
    {
        StatusCodes.Status429TooManyRequests => "overloaded",
        StatusCodes.Status503ServiceUnavailable => "unavailable",
        StatusCodes.Status504GatewayTimeout or StatusCodes.Status408RequestTimeout => "timeout",
        >= 500 => "failed",
        _ => MeasuredRequest.Refused,
    });
}
