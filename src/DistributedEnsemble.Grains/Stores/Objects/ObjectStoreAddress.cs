using System.Text.RegularExpressions;
using Amazon.Runtime;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Grains.Stores.Objects;

/// <summary>
/// Where a store of objects is: s3://bucket[/prefix], at the endpoint that AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL names; without
/// one, at Amazon's. Off this machine it is HTTPS, or says <c>?plaintext</c>.
/// </summary>
internal sealed partial class ObjectStoreAddress
{
    public const string AccessKeyVariable = "AWS_ACCESS_KEY_ID", SecretKeyVariable = "AWS_SECRET_ACCESS_KEY";

    public const string Scheme = "s3://";

    private const string Form = "it takes s3://bucket or s3://bucket/prefix";

    /// <summary>Lets everybody on the way read the weights: for networks that are the cluster's own.</summary>
    private const string Plaintext = "?plaintext";

    private static readonly string[] s_endpointVariables = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"], s_regionVariables = ["AWS_REGION", "AWS_DEFAULT_REGION"];

    private ObjectStoreAddress(string bucket, string prefix, Uri? endpoint, string region, AWSCredentials? keys) =>
        (Bucket, Prefix, Endpoint, Region, Keys) = (bucket, prefix, endpoint, region, keys);

    public string Bucket { get; }

    /// <summary>What the names of all objects begin with: empty, or with a slash at its end.</summary>
    public string Prefix { get; }

    /// <summary>Null is Amazon's own.</summary>
    public Uri? Endpoint { get; }

    public string Region { get; }

    /// <summary>Null if the environment has none: there may be a role, or a profile.</summary>
    internal AWSCredentials? Keys { get; }

    /// <summary>Who answers, for people.</summary>
    public string Server => Endpoint?.GetLeftPart(UriPartial.Authority) ?? $"Amazon S3 ({Region})";

    public override string ToString() => Prefix.Length == 0 ? $"s3://{Bucket}" : $"s3://{Bucket}/{Prefix.TrimEnd('/')}";

    /// <param name="text">The address.</param>
    /// <param name="option">What errors call it.</param>
    /// <param name="environment">Asked for variables; null is this process's.</param>
    /// <exception cref="ObjectStoreAddressException">It is no such address, or the environment's endpoint is none.</exception>
    public static ObjectStoreAddress Parse(string text, string option, Func<string, string?>? environment = null)
    {
        environment ??= Environment.GetEnvironmentVariable;
        var address = text.EndsWith(Plaintext, StringComparison.Ordinal) ? text[..^Plaintext.Length] : text;
        if (Written().Match(address) is not { Success: true } match)
            throw new ObjectStoreAddressException($"{option} is {OneLine.Excerpt(text)}: {Form}, of lower-case letters, digits, dots and dashes.");
        var prefix = match.Groups["prefix"].Value.Trim('/');
        var endpoint = EndpointOf(environment);
        if (endpoint is { Scheme: "http", IsLoopback: false } && address == text)
        {
            throw new ObjectStoreAddressException(
                $"{option} {text}: its endpoint {endpoint.GetLeftPart(UriPartial.Authority)} is not on this machine, and everybody on the way could read the weights. "
                + $"Use an https:// endpoint, or, on a network of the cluster's own, add {Plaintext}.");
        }

        var region = s_regionVariables.Select(environment).FirstOrDefault(value => value is { Length: > 0 }) ?? "us-east-1";
        return new ObjectStoreAddress(match.Groups["bucket"].Value, prefix.Length == 0 ? "" : $"{prefix}/", endpoint, region, KeysOf(environment));
    }

    private static AWSCredentials? KeysOf(Func<string, string?> environment)
    {
        if (environment(AccessKeyVariable) is not { Length: > 0 } key || environment(SecretKeyVariable) is not { Length: > 0 } secret) return null;
        return environment("AWS_SESSION_TOKEN") is { Length: > 0 } token ? new SessionAWSCredentials(key, secret, token) : new BasicAWSCredentials(key, secret);
    }

    private static Uri? EndpointOf(Func<string, string?> environment)
    {
        foreach (var variable in s_endpointVariables)
        {
            if (environment(variable) is not { Length: > 0 } value) continue;
            if (Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri is { Scheme: "http" or "https", Host.Length: > 0, UserInfo.Length: 0 }) return uri;
            throw new ObjectStoreAddressException($"{variable} is not the address of a server: it takes http:// or https://, a host, and a port if need be.");
        }

        return null;
    }

    [GeneratedRegex("^s3://(?<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?<prefix>(/[A-Za-z0-9][A-Za-z0-9._=-]*)*)/?$")]
    private static partial Regex Written();
}

/// <summary>An address that cannot be used as it stands, or a store that refuses this process; the message is one line for people.</summary>
internal sealed class ObjectStoreAddressException(string message) : Exception(message);
