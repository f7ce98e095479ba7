using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Stores.Objects;

/// <summary>What a store of objects refuses, or does not answer, as one line that says what to do.</summary>
internal static class ObjectStoreFailure
{
    public static Exception Of(Exception exception, ObjectStoreAddress address, string name)
    {
        var failure = exception switch
        {
            AmazonS3Exception { ErrorCode: "NoSuchBucket" } => Refused($"there is no bucket \"{address.Bucket}\" at {address.Server}: make it, or name another one"),
            AmazonS3Exception { StatusCode: HttpStatusCode.NotFound } => new FileNotFoundException($"There is no {address}/{name}.", exception),
            AmazonS3Exception { ErrorCode: "RequestTimeTooSkewed" } => Refused($"{address.Server} refuses requests of this machine, whose clock differs from its own: set the clock"),
            AmazonS3Exception { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } refused => Refused(
                $"{address.Server} refuses the keys ({refused.ErrorCode}): {ObjectStoreAddress.AccessKeyVariable} and {ObjectStoreAddress.SecretKeyVariable} must be those of somebody who may list, read, write and delete there"),
            AmazonS3Exception { StatusCode: HttpStatusCode.InsufficientStorage } or AmazonS3Exception { ErrorCode: "QuotaExceeded" or "XMinioStorageFull" } => Refused(
                $"{address.Server} has no room: make some, and let the runs go on"),
            AmazonS3Exception { StatusCode: >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError and not (HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or HttpStatusCode.Conflict) } other
                when other.ErrorCode is not ("RequestTimeout" or "SlowDown" or "BadDigest" or "IncompleteBody") => Refused($"{address.Server} refuses {name} ({other.ErrorCode}): {OneLine.Of(other.Message)}"),
            AmazonServiceException { StatusCode: not 0 } away => Away($"{address.Server} does not do what it is asked ({(int)away.StatusCode} {away.ErrorCode})"),
            AmazonClientException { InnerException: null } when exception is not AmazonServiceException && exception.Message.Contains("credentials", StringComparison.OrdinalIgnoreCase) => Refused(
                $"there are no keys: set {ObjectStoreAddress.AccessKeyVariable} and {ObjectStoreAddress.SecretKeyVariable}"),
            // The library tells it by these words alone.
            AmazonClientException when exception.Message.Contains("hash not equal", StringComparison.OrdinalIgnoreCase) => Away($"{address.Server} sends other bytes of {name} than its checksum says"),
            OperationCanceledException => Away($"{address.Server} takes too long"),
            _ => Away($"{address.Server} does not answer as a store of objects ({OneLine.Of(Innermost(exception).Message).TrimEnd('.')}): is it running there, and may this machine reach it"),
        };
        if (failure is not FileNotFoundException) Measurements.StoreFailures.Add(1);
        return failure;

        IOException Refused(string why) => new($"{address}: {why}.", exception);

        StorageAwayException Away(string why) => new($"{address}: {why}{(why.EndsWith("reach it", StringComparison.Ordinal) ? "?" : ".")}", exception);
    }

    /// <summary>Nothing was heard of it for as long as whoever asks waits.</summary>
    public static StorageAwayException Silent(Exception exception, ObjectStoreAddress address, TimeSpan patience) => new(
        $"{address}: {address.Server} has said nothing for {patience.TotalSeconds:0.#} s: is it overloaded, or the way to it cut? ({TimingOptions.Name(nameof(TimingOptions.StoreAnswer))} is how long is waited.)", exception);

    private static Exception Innermost(Exception exception) => exception.InnerException is { } inner ? Innermost(inner) : exception;
}
