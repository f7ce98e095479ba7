using System.Collections.Concurrent;
using System.Diagnostics;

namespace DistributedEnsemble.Benchmarks.Endurance;

/// <summary>Requests at fixed times.</summary>
/// <param name="most">Requests that may wait at once; beyond it one is not sent.</param>
internal sealed class PacedLoad(BalancedClient client, double perSecond, TimeSpan duration, int most)
{
    private readonly long _begun = Stopwatch.GetTimestamp();
    private int _waiting;

    public TimeSpan Duration => duration;

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_begun);

    public ConcurrentBag<Outcome> Outcomes { get; } = [];

    public int NotSent { get; private set; }

    /// <summary>Until the last request is answered.</summary>
    public async Task RunAsync()
    {
        for (var number = 0; number / perSecond < duration.TotalSeconds;)
        {
            for (; number / perSecond <= Elapsed.TotalSeconds; number++) Send(number);
            await Task.Delay(1);
        }

        while (Volatile.Read(ref _waiting) > 0) await Task.Delay(10);
    }

    private void Send(int number)
    {
        if (Volatile.Read(ref _waiting) >= most)
        {
            NotSent++;
            return;
        }

        Interlocked.Increment(ref _waiting);
        _ = Task.Run(() => AskAsync(number));
    }

    private async Task AskAsync(int number)
    {
        var verdict = Verdict.Lost;
        try
        {
            verdict = await client.AskAsync(number);
        }
        finally
        {
            var due = number / perSecond;
            Outcomes.Add(new Outcome(due, (Elapsed.TotalSeconds - due) * 1000, verdict));
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <param name="Due">Seconds from the beginning.</param>
    /// <param name="Milliseconds">From then to the answer.</param>
    internal readonly record struct Outcome(double Due, double Milliseconds, Verdict Verdict);
}
