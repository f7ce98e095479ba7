using System.Diagnostics;
using System.Text;
using DistributedEnsemble.Simulation.Worlds;

namespace DistributedEnsemble.Simulation;

/// <summary>
/// The protocol's machines in a world where everything goes wrong that may. ENSEMBLE_SIMULATION_HISTORIES is how many histories
/// there are, and ENSEMBLE_SIMULATION_SEED the first.
/// </summary>
[Collection("Histories")] // one class after another: the time of a processor is counted
public sealed class HistoryTests
{
    /// <summary>Of a processor, not of the day: a busy machine is no fault. 100,000 histories take two minutes of two cores at most.</summary>
    private static readonly TimeSpan s_most = TimeSpan.FromMinutes(2) * 2 / 100_000;

    [Fact]
    public void Whatever_happens_every_run_ends_as_the_undisturbed_one()
    {
        var (first, count) = (Setting("ENSEMBLE_SIMULATION_SEED", 1), Setting("ENSEMBLE_SIMULATION_HISTORIES", 100_000));
        var (since, before, events) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime, 0L);
        Parallel.For(first, first + count, (seed, loop) =>
        {
            try
            {
                Interlocked.Add(ref events, History.Live((ulong)seed, new Protocol()));
            }
            catch (Exception exception)
            {
                loop.Stop();
                throw new InvalidOperationException($"ENSEMBLE_SIMULATION_SEED={seed} ENSEMBLE_SIMULATION_HISTORIES=1: {exception.Message}\n{EndOf(Log((ulong)seed))}", exception);
            }
        });
        var time = (Environment.CpuUsage.TotalTime - before) / count;
        Assert.True(count < 50_000 || time < s_most, $"A history takes {time.TotalMilliseconds:F2} ms of a processor: at most {s_most.TotalMilliseconds:F2}.");
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{count} histories, {events} events, {count / since.Elapsed.TotalSeconds:F0} histories per second, {time.TotalMilliseconds:F2} ms of a processor each.");
    }

    /// <summary>
    /// A replaced activation shows the run as running after the last one has found its end told, and the store comes back as it
    /// was before the end: whoever ended it is refused.
    /// </summary>
    [Fact]
    public void An_end_that_a_replaced_activation_hides_is_told_again() => History.Live(515_806, new Protocol());

    [Fact]
    public void A_seed_gives_the_same_history_again()
    {
        for (var seed = 1ul; seed <= 50; seed++) Assert.Equal(Log(seed), Log(seed));
    }

    private static string Log(ulong seed)
    {
        var log = new StringBuilder();
        try
        {
            History.Live(seed, new Protocol(), log);
        }
        catch (Exception exception)
        {
            log.Append(exception.Message);
        }

        return log.ToString();
    }

    /// <summary>What happened last.</summary>
    private static string EndOf(string log) => string.Join('\n', log.Split('\n').TakeLast(300));

    private static long Setting(string name, long otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? long.Parse(text) : otherwise;
}
