using System.Net;
using System.Security.Authentication;
using DistributedEnsemble.Messages;
using StackExchange.Redis;

namespace DistributedEnsemble.Grains.Stores.Redis;

/// <summary>
/// Where a cluster's Redis is: redis://[user:password@]host[:port][/database], or rediss:// for TLS. Off this machine it is TLS,
/// or says <c>?plaintext</c>.
/// </summary>
public sealed class RedisAddress
{
    private const string Form = "it takes redis://[user:password@]host[:port], rediss:// for TLS, or a file that holds one of these";

    /// <summary>Lets everybody on the way read the password and the records: for networks that are the cluster's own.</summary>
    private const string Plaintext = "?plaintext";

    private const int LongestFile = 4096;
    private const int DefaultPort = 6379;

    private readonly Uri _uri;

    private RedisAddress(Uri uri) => _uri = uri;

    /// <summary>As people may see it: without the password.</summary>
    public override string ToString() => $"{_uri.Scheme}://{_uri.Host}:{Port}";

    public bool IsLoopback => _uri.IsLoopback;

    private int Port => _uri.IsDefaultPort || _uri.Port < 0 ? DefaultPort : _uri.Port;

    /// <param name="text">The address, or the path of a file that holds it: a command line can be read by every user of a machine.</param>
    /// <param name="option">What errors call it.</param>
    /// <exception cref="RedisAddressException">It is no such address. The text is not repeated: it may hold a password.</exception>
    public static RedisAddress Parse(string text, string option)
    {
        if (!text.Contains("://", StringComparison.Ordinal) && File.Exists(text)) return Parse(ReadFile(text, option), $"{option} {text}");
        // A path holds no password: whoever misspelt one sees it.
        if (text.Contains('/') && !text.Contains(':') && !text.Contains('@')) throw new RedisAddressException($"{option} {OneLine.Excerpt(text)} is a file that does not exist: {Form}.");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("redis" or "rediss") || uri.Host.Length == 0)
            throw new RedisAddressException($"{option} is not the address of a Redis: {Form}.");
        var database = uri.AbsolutePath.Trim('/');
        if (uri.Query is not ("" or Plaintext) || uri.Fragment.Length > 0 || (database.Length > 0 && !uint.TryParse(database, out _)))
            throw new RedisAddressException($"{option} has more than an address: {Form}.");
        var address = new RedisAddress(uri);
        if (!address.IsLoopback && uri.Scheme == "redis" && uri.Query != Plaintext)
        {
            throw new RedisAddressException(
                $"{option} {address} is not on this machine: everybody on the way could read its password and the records. Use rediss://, or, on a network of the cluster's own, add {Plaintext}.");
        }

        return address;
    }

    private static string ReadFile(string path, string option)
    {
        try
        {
            using var file = new StreamReader(path);
            var text = new char[LongestFile];
            return new string(text, 0, file.ReadBlock(text)).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RedisAddressException($"{option} {path} cannot be read: {OneLine.Of(exception.Message)}");
        }
    }

    public ConfigurationOptions ToConfiguration()
    {
        var options = new ConfigurationOptions
        {
            EndPoints = { EndPoint() },
            Ssl = _uri.Scheme == "rediss",
            ConnectTimeout = 5000,
            AsyncTimeout = 5000,
            ConnectRetry = 1,
            KeepAlive = 5,
            AbortOnConnectFail = true,
            ReconnectRetryPolicy = new LinearRetry(500),
        };
        if (options.Ssl) options.SslHost = _uri.Host;
        if (_uri.AbsolutePath.Trim('/') is { Length: > 0 } database) options.DefaultDatabase = int.Parse(database);
        var (user, password) = _uri.UserInfo.Split(':', 2) is [var first, var second] ? (first, second) : ("", _uri.UserInfo);
        if (password.Length > 0) options.Password = Uri.UnescapeDataString(password);
        if (user.Length > 0) options.User = Uri.UnescapeDataString(user);
        return options;
    }

    /// <exception cref="RedisUnreachableException">It does not answer, or refuses the password.</exception>
    public async Task<IConnectionMultiplexer> ConnectAsync()
    {
        try
        {
            return await ConnectionMultiplexer.ConnectAsync(ToConfiguration());
        }
        catch (RedisConnectionException exception) when (exception.InnerException is AuthenticationException untrusted)
        {
            throw new RedisUnreachableException(
                $"{this} is not believed: {untrusted.Message.TrimEnd('.')}. For a private authority, set SSL_CERT_FILE to its certificate.");
        }
        catch (RedisConnectionException exception) when (IsRefused(exception))
        {
            throw new RedisUnreachableException($"{this} refuses the user or password of its address.");
        }
        catch (RedisException)
        {
            throw new RedisUnreachableException($"{this} does not answer as a Redis. Is it running there, and may this machine reach it?");
        }
    }

    private static bool IsRefused(RedisConnectionException exception) => exception.FailureType == ConnectionFailureType.AuthenticationFailure
        || exception.ToString() is var text && (text.Contains("NOAUTH", StringComparison.Ordinal) || text.Contains("WRONGPASS", StringComparison.Ordinal));

    private EndPoint EndPoint() => IPAddress.TryParse(_uri.Host.Trim('[', ']'), out var address)
        ? new IPEndPoint(address, Port)
        : new DnsEndPoint(_uri.Host, Port);
}

/// <summary>An address that cannot be used as it stands; the message is one line for people.</summary>
public sealed class RedisAddressException(string message) : Exception(message);

/// <summary>Nobody answers there; the message is one line for people.</summary>
public sealed class RedisUnreachableException(string message) : Exception(message);
