using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Runs;
using Spectre.Console.Testing;

namespace DistributedEnsemble.Client.Tests.Rendering;

public sealed class LineViewTests : IDisposable
{
    private readonly TestConsole _console = new();

    [Fact]
    public async Task A_member_has_a_line_when_it_starts_at_each_tenth_and_when_it_ends()
    {
        await ShowAsync(
            Statuses.Of(RunState.Running, Statuses.Waiting(0)),
            Statuses.Of(RunState.Running, Statuses.Training(0, 0)),
            Statuses.Of(RunState.Running, Statuses.Training(0, 99)),
            Statuses.Of(RunState.Running, Statuses.Training(0, 100)),
            Statuses.Of(RunState.Running, Statuses.Training(0, 150)),
            Statuses.Of(RunState.Running, Statuses.Training(0, 320)),
            Statuses.Of(RunState.Completed, Statuses.Completed(0)));

        Assert.Equal(
            """
            run digits-1: 1 member, 1,000 steps each
            member 0 training on 10.0.0.2:11111
            member 0 step 100/1,000 (10 %), loss 0.2500, 100 steps/s
            member 0 step 320/1,000 (32 %), loss 0.2500, 100 steps/s
            member 0 completed at step 1,000, loss 0.1250

            """,
            _console.Output);
    }

    [Fact]
    public async Task A_member_that_moves_says_from_which_step_it_goes_on()
    {
        await ShowAsync(
            Statuses.Of(RunState.Running, Statuses.Training(0, 40)),
            Statuses.Of(RunState.Running, Statuses.Waiting(0, 30)),
            Statuses.Of(RunState.Running, Statuses.Training(0, 30, attempt: 2)));

        Assert.EndsWith(
            "member 0 waiting at step 30\nmember 0 training on 10.0.0.2:11111 from step 30 (attempt 2)\n", _console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_member_that_stopped_early_says_which_model_is_its_best()
    {
        await ShowAsync(Statuses.Of(RunState.Completed, Statuses.Completed(0) with { Step = 600, StepsTotal = 600, FinalStep = 500 }));

        Assert.Contains("member 0 completed at step 600 with its best model of step 500, loss 0.1250\n", _console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_member_has_its_reason()
    {
        await ShowAsync(Statuses.Of(
            RunState.Degraded, Statuses.Waiting(0, 7) with { State = MemberState.Failed, Reason = "the loss is not a number" }, Statuses.Completed(1)));

        Assert.Contains("member 0 failed: the loss is not a number\n", _console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_run_s_file_says_is_shown_without_what_a_terminal_obeys()
    {
        const string Escape = "\e]0;owned\a\nforged";
        var status = Statuses.Of(
            RunState.Degraded,
            Statuses.Waiting(0, 7) with { State = MemberState.Failed, Reason = Escape }, Statuses.Waiting(1, 7) with { Reason = Escape },
            Statuses.Training(2, 7) with { Silo = Escape }) with { Reason = Escape };

        await ShowAsync(status);
        _console.Write(StatusViews.Run(status, _console.Profile));

        Assert.DoesNotContain('\e', _console.Output);
        Assert.DoesNotContain('\a', _console.Output);
        Assert.DoesNotContain("\nforged", _console.Output, StringComparison.Ordinal);
        Assert.Contains("member 0 failed: ]0;owned forged\n", _console.Output, StringComparison.Ordinal);
    }

    public void Dispose() => _console.Dispose();

    private Task<ProgressFrame> ShowAsync(params RunStatus[] statuses) => new LineView(_console).ShowAsync(Statuses.Frames(statuses));
}
