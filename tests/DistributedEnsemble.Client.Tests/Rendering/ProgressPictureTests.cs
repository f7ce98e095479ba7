using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Runs;
using Microsoft.Extensions.Time.Testing;
using Spectre.Console;
using Spectre.Console.Testing;

namespace DistributedEnsemble.Client.Tests.Rendering;

public sealed class ProgressPictureTests
{
    private static readonly RunStatus Running = Statuses.Of(
        RunState.Running, Statuses.Completed(0), Statuses.Training(1, 500), Statuses.Training(2, 0), Statuses.Waiting(3));

    [Fact]
    public void Members_stand_in_equal_columns_above_the_total() => Assert.Equal(
        """
        member  state      silo/lane                 step                           loss  steps/s     left
             0  completed  10.0.0.2:11111     1,000/1,000  ━━━━━━━━━━━━━━━━━━━━   0.1250        –        –
             1  training   10.0.0.2:11111/1     500/1,000  ━━━━━━━━━━──────────   0.2500      100     0:05
             2  training   10.0.0.2:11111/2       0/1,000  ────────────────────        –        –        –
             3  waiting    –                      0/1,000  ────────────────────        –        –        –
        digits-1 running: 1,500/4,000 steps (37 %), 200 member-steps/s, 0:13 left
        """,
        Draw(Running, width: 120, height: 30));

    [Fact]
    public void No_line_is_wider_than_the_window()
    {
        for (var width = 20; width < 120; width++)
            Assert.All(Draw(Running, width, height: 30).Split('\n'), line => Assert.InRange(line.Length, 1, width));
    }

    [Fact]
    public void A_window_too_low_for_all_members_shows_those_that_train_and_counts_the_rest()
    {
        var lines = Draw(Running, width: 120, height: 6).Split('\n');

        Assert.Equal(5, lines.Length);
        Assert.StartsWith("     1  training", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("     2  training", lines[2], StringComparison.Ordinal);
        Assert.Equal("and 2 more: 1 waiting, 1 completed", lines[3]);
    }

    [Fact]
    public async Task The_live_view_ends_with_the_last_frame()
    {
        using var console = new TestConsole().Interactive();
        console.Profile.Width = 100;

        var last = await new LiveView(console, new FakeTimeProvider()).ShowAsync(
            Statuses.Frames(Running, Statuses.Of(RunState.Completed, Statuses.Completed(0))));

        Assert.Equal(RunState.Completed, last.Status.State);
        Assert.Equal("digits-1 completed: 1,000/1,000 steps (100 %)", console.Lines.Select(line => line.TrimEnd()).Last(line => line.Length > 0));
    }

    private static string Draw(RunStatus status, int width, int height)
    {
        var time = new FakeTimeProvider();
        var pace = new Pace(time);
        pace.Observe(status with { Steps = status.Steps - 1000 });
        time.Advance(TimeSpan.FromSeconds(5));
        pace.Observe(status);
        using var console = new TestConsole();
        console.Profile.Width = width;
        console.Write(new ProgressPicture(unicode: true).Draw(new ProgressFrame(status), pace, width, height));
        return string.Join('\n', console.Lines.Select(line => line.TrimEnd()));
    }
}
