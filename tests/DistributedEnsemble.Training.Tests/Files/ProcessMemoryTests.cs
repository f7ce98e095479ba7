using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Training.Tests.Files;

public sealed class ProcessMemoryTests
{
    [Theory]
    [InlineData(0, 256)]
    [InlineData(225 << 20, 45 << 20)]
    [InlineData(1 << 30, 204 << 20)]
    public void A_limit_is_a_share_of_what_the_process_may_take(long available, long share) =>
        Assert.InRange(ProcessMemory.ShareOf(available, most: available == 0 ? 256 : 256 << 20, parts: 5), share, share + (1 << 20));

    [Fact]
    public void With_plenty_of_memory_it_is_the_most() => Assert.Equal(256 << 20, ProcessMemory.ShareOf(long.MaxValue, most: 256 << 20, parts: 5));
}
