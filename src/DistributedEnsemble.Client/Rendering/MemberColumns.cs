using DistributedEnsemble.Messages;
using DistributedEnsemble.Runs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>The members of a run as lines of equal columns; a narrow console gets fewer columns.</summary>
internal sealed class MemberColumns(bool unicode, MemberNames? names = null)
{
    private const int SparklineWidth = 10;

    private readonly MemberNames _names = names ?? MemberNames.Plain;
    private readonly Dictionary<int, Sparkline> _losses = [];

    private const int Gap = 2;
    private const int BarWidth = 20;

    // In order of appearance; the last number is the order in which columns go when there is no room.
    private static readonly Column[] All =
    [
        new("member", 6, Align.Right, m => m.Name, Keep: 9),
        new("state", 9, Align.Left, m => Words.Of(m.Member.State), Keep: 7),
        new("silo/lane", 17, Align.Left, m => Place(m.Member), Keep: 1),
        new("step", 11, Align.Right, m => $"{Words.Count(m.Member.Step)}/{Words.Count(m.Member.StepsTotal)}", Keep: 8),
        new("", BarWidth, Align.Left, _ => "", Keep: 4) { IsBar = true },
        new("loss", 7, Align.Right, m => Words.Loss(m.Member.Loss), Keep: 6),
        new("", SparklineWidth, Align.Left, m => m.Losses, Keep: 3) { IsSparkline = true },
        new("steps/s", 7, Align.Right, m => m.IsTraining ? Words.Rate(m.Member.StepsPerSecond) : Words.Unknown, Keep: 2),
        new("left", 7, Align.Right, m => Words.Duration(m.TimeLeft), Keep: 5),
    ];

    /// <summary>A line of headings, then one line per member.</summary>
    public IEnumerable<IReadOnlyList<Segment>> Lines(IReadOnlyList<MemberStatus> members, int width)
    {
        var rows = members.Select(member => new Row(member, _names[member.Index], unicode ? LossesOf(member) : "")).ToArray();
        var isMoving = rows.Any(row => row.Losses.Length > 0);
        var columns = Fit([.. All.Where(column => isMoving || !column.IsSparkline).Select(column => column.WideEnoughFor(rows))], width);
        yield return [.. columns.Select(column => new Segment(column.Cell(column.Header), new Style(Color.Grey)))];
        foreach (var row in rows) yield return [.. columns.SelectMany(column => Cell(column, row))];
    }

    /// <summary>As far as it was seen from here.</summary>
    private string LossesOf(MemberStatus member)
    {
        if (!_losses.TryGetValue(member.Index, out var line)) _losses[member.Index] = line = new Sparkline(SparklineWidth);
        line.Add(member.Loss);
        return $"{line}";
    }

    private static string Place(MemberStatus member) =>
        member.Silo is null ? Words.Unknown : member.Lane is { } lane ? $"{OneLine.Of(member.Silo)}/{lane}" : OneLine.Of(member.Silo);

    private static List<Column> Fit(List<Column> columns, int width)
    {
        while (columns.Count > 1 && columns.Sum(column => column.Width + Gap) > width) columns.Remove(columns.MinBy(column => column.Keep)!);
        return columns;
    }

    private IEnumerable<Segment> Cell(Column column, Row row)
    {
        if (!column.IsBar) return [new Segment(column.Cell(column.Text(row)), StyleOf(row.Member.State))];
        var done = (int)(BarWidth * Math.Clamp(row.Share, 0, 1));
        var (full, empty) = unicode ? ('━', '─') : ('#', '-');
        return
        [
            new Segment(new string(full, done), StyleOf(row.Member.State)),
            new Segment(new string(empty, BarWidth - done) + new string(' ', Gap), new Style(Color.Grey)),
        ];
    }

    private static Style StyleOf(MemberState state) => state switch
    {
        MemberState.Completed => new Style(Color.Green),
        MemberState.Failed => new Style(Color.Red),
        MemberState.Waiting => new Style(Color.Grey),
        MemberState.Training => Style.Plain,
    };

    private enum Align { Left, Right }

    private sealed record Row(MemberStatus Member, string Name, string Losses)
    {
        public bool IsTraining => Member.State == MemberState.Training;
        public double Share => Member.StepsTotal > 0 ? (double)Member.Step / Member.StepsTotal : 0;
        public TimeSpan? TimeLeft => IsTraining ? Pace.Left(Member.StepsTotal - Member.Step, Member.StepsPerSecond) : null;
    }

    private sealed record Column(string Header, int Width, Align Align, Func<Row, string> Text, int Keep)
    {
        public bool IsBar { get; init; }

        public bool IsSparkline { get; init; }

        public Column WideEnoughFor(Row[] rows) =>
            this with { Width = rows.Select(row => Text(row).Length).Append(Header.Length).Append(Width).Max() };

        public string Cell(string text) => (Align == Align.Right ? text.PadLeft(Width) : text.PadRight(Width)) + new string(' ', Gap);
    }
}
