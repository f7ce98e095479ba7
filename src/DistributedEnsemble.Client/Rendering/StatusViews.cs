using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Runs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>Runs at rest, or as they are at this moment.</summary>
internal static class StatusViews
{
    public static Table List(IEnumerable<RunStatus> runs)
    {
        var table = new Table().Border(TableBorder.Simple)
            .AddColumn("run", column => column.NoWrap()).AddColumn("state")
            .AddColumn("members", column => column.RightAligned())
            .AddColumn("steps", column => column.RightAligned())
            .AddColumn("done", column => column.RightAligned().NoWrap());
        foreach (var run in runs)
        {
            table.AddRow(
                new Text(run.Run), new Text(Words.Of(run.State)), new Text($"{run.Members.Length}"),
                new Text(Words.Count(run.Steps)), new Text(Words.Percent(run.Steps, run.StepsTotal)));
        }
        return table;
    }

    public static IRenderable Run(RunStatus status, Profile profile)
    {
        var lines = new List<IReadOnlyList<Segment>> { Line(Summary(status)) };
        if (status.Reason is not null) lines.Add(Line(OneLine.Of(status.Reason)));
        lines.AddRange(new MemberColumns(profile.Capabilities.Unicode).Lines(status.Members, profile.Width));
        // Reasons are sentences: they wrap below the lines instead of being cut.
        var reasons = status.Members.Where(member => member.Reason is not null).Select(member => new Text($"member {member.Index}: {OneLine.Of(member.Reason)}"));
        return new Rows([new TextLines(lines), .. reasons]);
    }

    public static string Summary(RunStatus status) =>
        $"{status.Run} {Words.Of(status.State)}: {Words.Count(status.Steps)}/{Words.Count(status.StepsTotal)} steps " +
        $"({Words.Percent(status.Steps, status.StepsTotal)}) of {Words.Plural(status.Members.Length, "member")} " +
        $"in {status.TrainSeconds:0.0} s, {Words.Rate(status.MemberStepsPerSecond())} member-steps/s";

    private static Segment[] Line(string text) => [new Segment(text)];
}
