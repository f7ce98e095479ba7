using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Tests.Kernels;

public sealed class TeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Each_part_of_each_work_is_done_once_before_the_next_begins(int threads)
    {
        var counts = new int[threads];
        using var team = Team.Of(threads);
        Action<int, int> work = (part, parts) =>
        {
            Assert.Equal(threads, parts);
            counts[part]++;
        };

        for (var round = 1; round <= 2000; round++)
        {
            team.Run(work);
            Assert.All(counts, count => Assert.Equal(round, count));
        }
    }

    [Fact]
    public void A_part_that_fails_fails_the_work_and_the_team_goes_on()
    {
        using var team = Team.Of(2);

        var error = Assert.Throws<InvalidOperationException>(() => team.Run((part, _) =>
        {
            if (part == 1) throw new NotFiniteNumberException("no number");
        }));
        Assert.Throws<TimeoutException>(() => team.Run((_, _) => throw new TimeoutException()));

        Assert.Equal("A part of a kernel's work failed.", error.Message);
        Assert.Equal("no number", error.InnerException!.Message);
        team.Run((_, _) => { });
    }

    [Fact]
    public void Parts_are_whole_units_and_together_everything()
    {
        foreach (var (length, unit, parts) in new[] { (100, 32, 3), (7, 32, 2), (0, 8, 4), (1024, 32, 2), (24, 24, 5) })
        {
            var places = Enumerable.Range(0, parts + 1).Select(part => Team.Place(length, unit, part, parts)).ToArray();
            Assert.Equal((0, length), (places[0], places[^1]));
            Assert.Equal(places.Order(), places);
            Assert.All(places[..^1], place => Assert.True(place % unit == 0 || place == length));
        }
    }
}
