using Amazon.Runtime;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using StackExchange.Redis;

namespace DistributedEnsemble.Grains.Tests.Hosting;

public sealed class ExceptionsOnTheWireTests
{
    private readonly Serializer _serializer = new ServiceCollection().AddSerializer().AddExceptionsOnTheWire().BuildServiceProvider().GetRequiredService<Serializer>();

    public static TheoryData<Exception> Behind =>
    [
        new AmazonClientException("a body that is not what was announced"),
        new AmazonUnmarshallingException("no XML", "here", new FormatException("not that")),
        new RedisConnectionException(ConnectionFailureType.UnableToConnect, "nobody"),
        new HttpIOException(HttpRequestError.ResponseEnded),
    ];

    [Theory, MemberData(nameof(Behind))]
    public void The_caller_gets_the_line_that_was_thrown_whatever_library_failed_behind_it(Exception behind)
    {
        var thrown = new StorageAwayException("s3://bucket/runs does not answer.", behind);

        var caught = Assert.IsType<StorageAwayException>(_serializer.Deserialize<Exception>(_serializer.SerializeToArray<Exception>(thrown)));

        Assert.Equal(thrown.Message, caught.Message);
        // Some write their message anew, with what they know.
        Assert.StartsWith(behind.Message, caught.InnerException?.Message, StringComparison.Ordinal);
    }
}
