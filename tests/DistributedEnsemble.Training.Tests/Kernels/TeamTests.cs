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

    /// <summary>Threads share columns, or rows where there are few columns.</summary>
    [Theory]
    [InlineData(300, 40, 257)]
    [InlineData(40, 300, 257)]
    public unsafe void A_product_of_some_threads_has_the_bits_of_one(int rows, int columns, int depth)
    {
        using NativeVector a = Numbers(rows * depth, 1), weights = Numbers(columns * depth, 2), bias = Numbers(rows + columns, 3), panels = weights.Copy();
        Panels.Arrange(panels.Start, columns, depth);
        foreach (var start in Enum.GetValues<ProductStart>())
        {
            var alone = Product(1, weights, arePanels: false);
            Assert.Equal(alone, Product(3, weights, arePanels: false));
            Assert.Equal(alone, Product(3, panels, arePanels: true));

            float[] Product(int threads, NativeVector b, bool arePanels)
            {
                using var team = Team.Of(threads);
                using var memory = WorkingMemory.Of((threads + 1L) * MatrixProduct.Scratch);
                using var c = Numbers(rows * columns, 4);
                new Pass(team, memory).Product.Compute(
                    rows, columns, depth, Matrix.Rows(a.Start, depth), Matrix.Rows(b.Start, depth).Transposed, c.Start, columns, start, bias.Start, false, arePanels);
                return c.ToArray();
            }
        }
    }

    private static NativeVector Numbers(int length, int seed)
    {
        var random = new Random(seed);
        return NativeVector.Of([.. Enumerable.Range(0, length).Select(_ => random.NextSingle() - 0.5f)]);
    }
}
