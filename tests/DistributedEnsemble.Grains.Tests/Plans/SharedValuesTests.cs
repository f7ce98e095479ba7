using DistributedEnsemble.Grains.Plans;
using Microsoft.Extensions.Time.Testing;

namespace DistributedEnsemble.Grains.Tests.Plans;

public sealed class SharedValuesTests
{
    private static readonly TimeSpan s_linger = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _freed = [];
    private readonly SharedValues<int, string> _values;
    private int _made;

    public SharedValuesTests() => _values = new SharedValues<int, string>(s_linger, _time, _freed.Add);

    [Fact]
    public void A_value_is_made_once_and_freed_some_time_after_its_last_user()
    {
        var (one, other) = (Take(1), Take(1));
        one.Dispose();
        _time.Advance(2 * s_linger);
        Assert.Empty(_freed);

        other.Dispose();
        _time.Advance(s_linger / 2);
        Assert.Empty(_freed);
        _time.Advance(s_linger);

        Assert.Equal(["1.1"], _freed);
        Assert.Equal("1.2", Take(1).Value);
    }

    [Fact]
    public void A_user_that_comes_in_time_finds_the_value_and_keeps_it()
    {
        Take(1).Dispose();
        _time.Advance(s_linger / 2);
        using var again = Take(1);
        _time.Advance(2 * s_linger);

        Assert.Equal("1.1", again.Value);
        Assert.Empty(_freed);
    }

    [Fact]
    public void A_value_that_nobody_is_expected_to_use_goes_at_once()
    {
        Take(1).Drop();
        var (one, other) = (Take(2), Take(2));
        one.Drop();

        Assert.Equal(["1.1"], _freed);
        other.Drop();
        other.Dispose();
        Assert.Equal(["1.1", "2.2"], _freed);
        Assert.Equal(0, _values.Count);
    }

    [Fact]
    public void A_value_that_could_not_be_made_is_tried_again()
    {
        Assert.Throws<InvalidOperationException>(() => _values.Take(1, () => throw new InvalidOperationException()));

        Assert.Equal("1.1", Take(1).Value);
        Assert.Empty(_freed);
    }

    [Fact]
    public void At_the_end_what_is_used_goes_when_it_comes_back()
    {
        Take(1).Dispose();
        var used = Take(2);

        _values.Dispose();
        Assert.Equal(["1.1"], _freed);
        used.Dispose();
        Assert.Equal(["1.1", "2.2"], _freed);
    }

    private SharedValues<int, string>.Loan Take(int key) => _values.Take(key, () => $"{key}.{++_made}");
}
