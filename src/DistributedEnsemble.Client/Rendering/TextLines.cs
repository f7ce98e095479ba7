using Spectre.Console;
using Spectre.Console.Rendering;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>Lines that are cut at the console's edge: a wrapped line would push a live view out of the window.</summary>
internal sealed class TextLines(IEnumerable<IReadOnlyList<Segment>> lines) : Renderable
{
    private readonly IReadOnlyList<IReadOnlyList<Segment>> _lines = [.. lines];

    protected override Measurement Measure(RenderOptions options, int maxWidth)
    {
        var widest = _lines.Select(line => line.Sum(segment => segment.CellCount())).DefaultIfEmpty(0).Max();
        return new Measurement(Math.Min(widest, maxWidth), Math.Min(widest, maxWidth));
    }

    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        foreach (var line in _lines)
        {
            foreach (var segment in Segment.Truncate(line, maxWidth)) yield return segment;
            yield return Segment.LineBreak;
        }
    }
}
