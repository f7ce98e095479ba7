using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>What a run's progress looks like at one moment.</summary>
/// <param name="Stopping">Whether a stop was asked for.</param>
/// <param name="Scores">How the ensemble does on the validation split so far; null if that is not known.</param>
internal sealed record ProgressFrame(RunStatus Status, bool Stopping = false, EnsembleScores? Scores = null);

/// <summary>Draws a run's members and its total into a window of any size.</summary>
internal sealed class ProgressPicture(bool unicode, MemberNames? names = null)
{
    // The heading, the members left out, the total, and the line where the cursor waits.
    private const int LinesBesidesMembers = 4;

    private readonly MemberColumns _columns = new(unicode, names);

    public TextLines Draw(ProgressFrame frame, Pace pace, int width, int height)
    {
        var status = frame.Status;
        var shown = Choose(status.Members, Math.Max(1, height - LinesBesidesMembers - (frame.Scores is null ? 0 : 1)));
        var lines = _columns.Lines(shown, width).ToList();
        if (shown.Count < status.Members.Length) lines.Add([Grey(LeftOut(status.Members.Except(shown)))]);
        if (frame.Scores is { Sizes: [.., var largest] } scores) lines.Add([Grey(InWords(scores, largest))]);
        lines.Add([new Segment(Total(frame, pace), new Style(frame.Stopping ? Color.Yellow : Color.Default))]);
        return new TextLines(lines);
    }

    // Those in training first: the others do not change.
    private static List<MemberStatus> Choose(IReadOnlyList<MemberStatus> members, int room) =>
        [.. members.OrderBy(Urgency).ThenBy(member => member.Index).Take(room).OrderBy(member => member.Index)];

    private static int Urgency(MemberStatus member) => member.State switch
    {
        MemberState.Training => 0,
        MemberState.Failed => 1,
        MemberState.Waiting => 2,
        MemberState.Completed => 3,
    };

    private static string LeftOut(IEnumerable<MemberStatus> members)
    {
        var states = members.GroupBy(member => member.State).OrderBy(group => group.Key).ToArray();
        var counts = string.Join(", ", states.Select(group => $"{group.Count()} {Words.Of(group.Key)}"));
        return $"and {states.Sum(group => group.Count())} more: {counts}";
    }

    private static string Total(ProgressFrame frame, Pace pace)
    {
        var status = frame.Status;
        var state = frame.Stopping ? "stopping, again to quit at once" : Words.Of(status.State);
        var progress = $"{status.Run} {state}: {Words.Count(status.Steps)}/{Words.Count(status.StepsTotal)} steps " +
            $"({Words.Percent(status.Steps, status.StepsTotal)})";
        return status.HasEnded || frame.Stopping
            ? progress
            : $"{progress}, {Words.Rate(pace.StepsPerSecond)} member-steps/s, {Words.Duration(pace.TimeLeft)} left";
    }

    private static string InWords(EnsembleScores scores, SizeScore all)
    {
        var (one, rows) = (scores.Sizes[0], scores.OutOfFold ? "out-of-fold" : "validation");
        return all.Members == 1
            ? $"{rows} NLL of the first member so far {Words.Loss(all.Measures.Nll)}"
            : $"{rows} NLL of {Words.Plural(all.Members, "member")} together so far {Words.Loss(all.Measures.Nll)}"
                + (one.Members == all.Members ? "" : one.Members == 1 ? $", of the first alone {Words.Loss(one.Measures.Nll)}" : $", of the first {one.Members} {Words.Loss(one.Measures.Nll)}");
    }

    private static Segment Grey(string text) => new(text, new Style(Color.Grey));
}
