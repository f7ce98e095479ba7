using DistributedEnsemble.Grains.Stores.Objects;
using Microsoft.Extensions.Time.Testing;

namespace DistributedEnsemble.Grains.Tests.Stores.Objects;

public sealed class StoreHealthTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly StoreHealth _health;
    private string? _answer = "no room";

    public StoreHealthTests() => _health = new StoreHealth(() => Task.FromResult<string?>(_answer), _time);

    [Fact]
    public async Task A_failure_at_which_nobody_looked_again_is_none_of_the_hours_after_it()
    {
        await LookAsync();
        _answer = null;
        _time.Advance(TimeSpan.FromHours(2));

        Assert.Null(_health.Refusal);
        await _health.Looking;
        Assert.Null(_health.Refusal);
    }

    [Fact]
    public async Task A_store_is_refused_that_fails_whenever_somebody_looks_however_seldom()
    {
        await LookAsync();
        _time.Advance(TimeSpan.FromHours(2));
        await LookAsync();

        Assert.Equal("no room", _health.Refusal);
    }

    private Task LookAsync()
    {
        Assert.Null(_health.Refusal);
        return _health.Looking;
    }
}
