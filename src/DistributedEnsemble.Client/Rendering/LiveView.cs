using Spectre.Console;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>One line per member, redrawn in place.</summary>
internal sealed class LiveView(IAnsiConsole console, TimeProvider time, MemberNames? names = null) : IProgressView
{
    private readonly Pace _pace = new(time);
    private readonly ProgressPicture _picture = new(console.Profile.Capabilities.Unicode, names);

    public async Task<ProgressFrame> ShowAsync(IAsyncEnumerable<ProgressFrame> frames)
    {
        ProgressFrame? last = null;
        await console.Live(new Text("")).Overflow(VerticalOverflow.Crop).StartAsync(async live =>
        {
            await foreach (var frame in frames)
            {
                last = frame;
                _pace.Observe(frame.Status);
                live.UpdateTarget(_picture.Draw(frame, _pace, console.Profile.Width, console.Profile.Height));
            }
        });
        return last ?? throw new InvalidOperationException("A run has at least one status.");
    }
}
