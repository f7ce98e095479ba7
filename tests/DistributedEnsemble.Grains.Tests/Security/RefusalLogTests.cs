using DistributedEnsemble.Grains.Security;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace DistributedEnsemble.Grains.Tests.Security;

public sealed class RefusalLogTests : ILogger
{
    private readonly List<string> _lines = [];

    [Fact]
    public void A_stranger_who_knocks_without_end_fills_no_log()
    {
        var time = new FakeTimeProvider();
        var refusals = new RefusalLog(time, this);

        for (var i = 0; i < 1000; i++) refusals.Tell(null, $"reason {i}");
        Assert.Equal(10, _lines.Count);
        Assert.Equal("A connection from (null) was refused: reason 0", _lines[0]);

        time.Advance(TimeSpan.FromMinutes(1));
        refusals.Tell(null, "another");
        Assert.Equal(["990 more connections were refused since then.", "A connection from (null) was refused: another"], _lines[10..]);
    }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Add(formatter(state, exception));
}
