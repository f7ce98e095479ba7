using System.Globalization;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Live;
using DistributedEnsemble.Serving.Metrics;
using DistributedEnsemble.Tests.Objects;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Serving.Tests;

/// <summary>What the page reads on as runs grow, where their files are objects: each byte is fetched once.</summary>
public sealed class ObjectReaderTests : IAsyncDisposable
{
    private readonly TemporaryFolder _scratch = new();
    private readonly StrictObjectServer _server = new();
    private readonly ObjectStorage _objects;

    public ObjectReaderTests() => _objects = _server.Open("runs", _scratch.Path);

    public async ValueTask DisposeAsync()
    {
        _objects.Dispose();
        await _server.DisposeAsync();
        _scratch.Dispose();
    }

    [Fact]
    public void A_members_lines_are_fetched_once_however_often_they_are_asked_for()
    {
        var (folder, history, run) = (new RunFolder(_objects, "small"), new MetricHistory(_objects), new RunKey("small", Guid.NewGuid()));
        var (length, fetched) = (0L, 0L);
        for (var step = 1; step <= 60; step++)
        {
            length += Append(folder, RunFolder.Metrics(0), length, string.Create(CultureInfo.InvariantCulture, $"{{\"step\":{step},\"loss\":{step},\"accuracy\":0.5}}\n"));
            var sent = _server.Sent;
            Assert.Equal(step, history.Ask(run, 0, series => series.LastStep));
            Assert.Equal((step, false), history.AskSoon(run, 0, mostBytes: 1 << 20, _ => throw new InvalidOperationException(), series => series.Count));
            fetched += _server.Sent - sent;
        }

        Assert.Equal(length, fetched);
    }

    [Fact]
    public void A_timeline_is_fetched_once_as_it_grows()
    {
        var (folder, timeline) = (new RunFolder(_objects, "small"), new TimelineReader(_objects, "small"));
        var (length, fetched) = (0L, 0L);
        for (var member = 0; member < 20; member++)
        {
            var happening = new RunHappening(DateTimeOffset.UnixEpoch, RunHappeningKind.MemberLost, member);
            length += Append(folder, RunFolder.TimelineFile, length, JsonSerializer.Serialize(happening, RunStatusJson.Options) + "\n");
            var sent = _server.Sent;
            Assert.Equal([happening], timeline.ReadOn());
            Assert.Empty(timeline.ReadOn());
            fetched += _server.Sent - sent;
        }

        Assert.Equal(length, fetched);
    }

    private static int Append(RunFolder folder, string name, long place, string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line);
        folder.Append(name, place, bytes);
        return bytes.Length;
    }
}
