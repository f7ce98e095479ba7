using DistributedEnsemble.Messages;
using DistributedEnsemble.Runs;
using Spectre.Console;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>For files and pipes: a line when a member starts, at every tenth of its training, and when it ends.</summary>
internal sealed class LineView(IAnsiConsole console, MemberNames? names = null) : IProgressView
{
    private readonly Dictionary<int, (MemberStatus Status, int Tenth)> _told = [];
    private readonly HashSet<int> _named = [];

    public async Task<ProgressFrame> ShowAsync(IAsyncEnumerable<ProgressFrame> frames)
    {
        ProgressFrame? last = null;
        await foreach (var frame in frames)
        {
            if (last is null) Begin(frame.Status);
            foreach (var member in frame.Status.Members) Tell(member, member.StepsTotal);
            if (frame.Stopping && last is not { Stopping: true }) console.WriteRaw("stopping; a second signal quits at once");
            last = frame;
        }
        return last ?? throw new InvalidOperationException("A run has at least one status.");
    }

    private void Begin(RunStatus status)
    {
        var (least, most) = (status.Members.Min(member => member.StepsTotal), status.Members.Max(member => member.StepsTotal));
        console.WriteRaw($"run {status.Run}: {Words.Plural(status.Members.Length, "member")}, {(least < most ? $"{Words.Count(least)} to " : "")}{Words.Plural(most, "step")} each");
    }

    private void Tell(MemberStatus member, long steps)
    {
        var tenth = steps > 0 ? (int)(10L * member.Step / steps) : 0;
        var known = _told.TryGetValue(member.Index, out var before);
        _told[member.Index] = (member, tenth);

        var line = member.State switch
        {
            MemberState.Completed when !known || before.Status.State != MemberState.Completed =>
                $"completed at step {Words.Count(member.Step)}{Best(member)}, loss {Words.Loss(member.Loss)}",
            MemberState.Failed when !known || before.Status.State != MemberState.Failed =>
                $"failed: {OneLine.Of(member.Reason)}",
            MemberState.Training when !known || before.Status.State != MemberState.Training || before.Status.Attempt != member.Attempt =>
                $"training on {OneLine.Of(member.Silo)}{Again(member)}",
            MemberState.Waiting when known && before.Status.State == MemberState.Training =>
                $"waiting at step {Words.Count(member.Step)}{(member.Reason is null ? "" : $": {OneLine.Of(member.Reason)}")}",
            MemberState.Training when tenth > before.Tenth && member.Step < steps =>
                $"step {Words.Count(member.Step)}/{Words.Count(steps)} ({Words.Percent(member.Step, steps)}), " +
                $"loss {Words.Loss(member.Loss)}, {Words.Rate(member.StepsPerSecond)} steps/s",
            _ => null,
        };
        if (line is not null) console.WriteRaw($"member {member.Index} {line}{(_named.Add(member.Index) ? With(member) : "")}");
    }

    private static string Best(MemberStatus member) =>
        member.FinalStep is { } final && final != member.Step ? $" with its best model of step {Words.Count(final)}" : "";

    private string With(MemberStatus member) => names?.SettingsOf(member.Index) is { } settings ? $" ({settings})" : "";

    private static string Again(MemberStatus member) =>
        member.Attempt > 1 ? $" from step {Words.Count(member.Step)} (attempt {member.Attempt})" : "";
}
