using DistributedEnsemble.Grains.Stores.Redis;

namespace DistributedEnsemble.Grains.Tests.Stores;

public sealed class RedisAddressTests : IDisposable
{
    private const string Form = "it takes redis://[user:password@]host[:port], rediss:// for TLS, or a file that holds one of these";

    private readonly RunsFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_address_may_stand_in_a_file_which_no_list_of_processes_shows()
    {
        var file = Path.Combine(_folder.Path, "address");
        File.WriteAllText(file, "redis://driver:secret@127.0.0.1:6400\n");

        var address = RedisAddress.Parse(file, "--cluster");

        Assert.Equal("redis://127.0.0.1:6400", address.ToString());
        var configuration = address.ToConfiguration();
        Assert.Equal(("driver", "secret"), (configuration.User, configuration.Password));
    }

    [Theory]
    [InlineData("redis://redis.example", "--cluster redis://redis.example:6379 is not on this machine: everybody on the way could read its password and the records. "
        + "Use rediss://, or, on a network of the cluster's own, add ?plaintext.")]
    [InlineData("redis://:secret@10.0.0.1:6400/2", "--cluster redis://10.0.0.1:6400 is not on this machine: everybody on the way could read its password and the records. "
        + "Use rediss://, or, on a network of the cluster's own, add ?plaintext.")]
    [InlineData("redis://:secret@127.0.0.1?ssl=true", $"--cluster has more than an address: {Form}.")]
    [InlineData("artifacts/no-such-file", $"--cluster artifacts/no-such-file is a file that does not exist: {Form}.")]
    [InlineData("secret/word@127.0.0.1", $"--cluster is not the address of a Redis: {Form}.")]
    [InlineData("no-such-file", $"--cluster is not the address of a Redis: {Form}.")]
    [InlineData("http://127.0.0.1", $"--cluster is not the address of a Redis: {Form}.")]
    public void What_is_no_address_or_no_safe_one_is_refused_without_its_password(string text, string line)
    {
        var refused = Assert.Throws<RedisAddressException>(() => RedisAddress.Parse(text, "--cluster"));

        Assert.Equal(line, refused.Message);
        Assert.DoesNotContain("secret", refused.Message);
    }

    [Theory]
    [InlineData("redis://127.0.0.1", false)]
    [InlineData("redis://localhost:6400", false)]
    [InlineData("redis://[::1]", false)]
    [InlineData("redis://redis?plaintext", false)]
    [InlineData("redis://:secret@10.0.0.1:6400/2?plaintext", false)]
    [InlineData("rediss://:secret@redis.example", true)]
    public void Loopback_tls_and_the_word_are_taken(string text, bool isEncrypted) =>
        Assert.Equal(isEncrypted, RedisAddress.Parse(text, "--cluster").ToConfiguration().Ssl);
}
