namespace DistributedEnsemble.Cluster.Tests.Failures;

/// <summary>
/// Seeds choose kills, pauses, joins and graceful ends, and their moments; after each history everything is as if nothing had
/// happened. ENSEMBLE_TEST_HISTORIES is how many there are, and ENSEMBLE_TEST_SEED the first.
/// </summary>
public sealed class RandomHistoryTests
{
    private const int Events = 3, MostSilos = 3;

    private const string Run = "history";

    private static readonly string s_spec = Specs.Of(Run, epochs: 100);

    public static IEnumerable<TheoryDataRow<int>> Seeds =>
        Enumerable.Range(Setting("ENSEMBLE_TEST_SEED", 1), Setting("ENSEMBLE_TEST_HISTORIES", 20)).Select(seed => new TheoryDataRow<int>(seed));

    [Theory, MemberData(nameof(Seeds))]
    public async Task Whatever_happens_to_silos_the_run_ends_as_the_undisturbed_one(int seed)
    {
        var random = new Random(seed);
        var history = new List<string>();
        await using var cluster = await LocalCluster.StartAsync(silos: 2);
        await using var driver = cluster.Drive("train", cluster.SpecFile(s_spec));
        try
        {
            await cluster.WhenAsync(Run, run => run.Steps > 0);
            while (history.Count < Events && cluster.Read(Run) is not { HasEnded: true })
            {
                await Task.Delay(random.Next(100, 1500), TestContext.Current.CancellationToken);
                history.Add(await HappenAsync(cluster, random));
            }

            await cluster.WhenAsync(Run, run => run.HasEnded);
            Undisturbed.IsWhatCameOutOf(cluster, s_spec);
            await cluster.EndsAsync(driver);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"Seed {seed}: {string.Join(", ", history)}.\n{driver.Errors}{cluster.Said()}", exception);
        }
    }

    private static async Task<string> HappenAsync(LocalCluster cluster, Random random)
    {
        var (what, which, pause) = (random.Next(4), random.Next(MostSilos), random.Next(100, 4000));
        if (cluster.Alive.Count == 0 || (what == 0 && cluster.Alive.Count < MostSilos))
        {
            await cluster.AddSiloAsync();
            return "a silo joined";
        }

        var silo = cluster.Alive[which % cluster.Alive.Count];
        switch (what)
        {
            case 1:
                // A long pause ends with the silo's own end: the others have gone on without it.
                silo.Pause();
                await Task.Delay(pause, TestContext.Current.CancellationToken);
                silo.Continue();
                return $"{silo.Endpoint} slept for {pause} ms";
            case 2:
                silo.Terminate();
                await silo.ExitAsync();
                break;
            default:
                await silo.KillAsync();
                break;
        }

        // Whoever runs a cluster starts another.
        if (cluster.Alive.Count == 0) await cluster.AddSiloAsync();
        return $"{silo.Endpoint} was {(what == 2 ? "asked to end" : "killed")}";
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text) : otherwise;
}
