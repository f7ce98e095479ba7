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

    /// <summary>The garbage collector takes three quarters of a container's memory for all that there is.</summary>
    [Theory]
    [InlineData(427, 64, 5)]
    [InlineData(1707, 256, 5)]
    [InlineData(5462, 1024, 4)]
    public void The_sizes_of_containers_that_are_documented_are_those_from_which_on_a_share_is_the_most(long container, long most, int parts)
    {
        Assert.Equal(most << 20, ProcessMemory.ShareOf((container << 20) * 3 / 4, most << 20, parts));
        Assert.InRange(ProcessMemory.ShareOf((container - 1 << 20) * 3 / 4, most << 20, parts), 0, (most << 20) - 1);
        Assert.Contains($"{container} MiB", File.ReadAllText(Repository.File("docs/serving.md")));
    }

    [Fact]
    public void With_plenty_of_memory_it_is_the_most() => Assert.Equal(256 << 20, ProcessMemory.ShareOf(long.MaxValue, most: 256 << 20, parts: 5));
}
