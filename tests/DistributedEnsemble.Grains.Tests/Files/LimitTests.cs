using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using Microsoft.Extensions.DependencyInjection;

namespace DistributedEnsemble.Grains.Tests.Files;

/// <summary>What clients can take of a cluster.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task An_upload_ends_where_it_was_announced_to_end()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        var upload = cluster.Upload(HashOf([1, 2, 3]));
        await upload.BeginAsync(3);

        await RefusedAsync("The upload was announced with 3 bytes, and 4 came: begin again.", () => upload.AppendAsync(0, [1, 2, 3, 4]));
        await upload.AppendAsync(0, [1, 2]);
        await RefusedAsync("The upload was announced with 3 bytes, and 2 came: go on with it.", upload.CompleteAsync);
        await upload.AppendAsync(2, [3]);
        await upload.CompleteAsync();

        Assert.Single(FilesOf(cluster));
    }

    [Fact]
    public async Task Nothing_is_written_of_an_upload_that_was_not_announced()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        var upload = cluster.Upload(HashOf([1]));

        await RefusedAsync("The upload has not begun here, or rested for too long: begin again.", () => upload.AppendAsync(0, [1]));
        await RefusedAsync("The file has 0 bytes: there is nothing to train on.", () => upload.BeginAsync(0));
        await RefusedAsync("The file has -1 bytes: there is nothing to train on.", () => upload.BeginAsync(-1));

        Assert.Empty(FilesOf(cluster));
    }

    [Fact]
    public async Task Uploads_share_a_limit_and_count_as_announced()
    {
        await using var cluster = await StartAsync(new Limits { MaxUploadBytes = 60, MaxUploadsBytes = 100 });
        await cluster.Upload(HashOf([1])).BeginAsync(60);

        await RefusedAsync(
            "The file has 61 bytes: this cluster takes up to 60. Train with a smaller one, or register the dataset on the silos.",
            () => cluster.Upload(HashOf([2])).BeginAsync(61));
        await RefusedAsync(
            "The file has 50 bytes, and the store takes 100 of all clients' files (ENSEMBLE__LIMITS__MAXUPLOADSBYTES), of which 60 are taken by "
            + "files that a run names or that came a short time ago: delete the runs that nobody needs.",
            () => cluster.Upload(HashOf([2])).BeginAsync(50));

        Assert.Equal(0, await cluster.Upload(HashOf([2])).BeginAsync(40));
        Assert.Equal(2, FilesOf(cluster).Length);
    }

    [Fact]
    public async Task What_was_broken_off_is_removed_after_a_while()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        await cluster.Upload(HashOf([1])).BeginAsync(60);
        var part = Assert.Single(FilesOf(cluster));

        File.SetLastWriteTimeUtc(part, DateTime.UtcNow.AddMinutes(-59));
        await cluster.Upload(HashOf([2])).BeginAsync(60);
        Assert.Equal(2, FilesOf(cluster).Length);
        File.SetLastWriteTimeUtc(part, DateTime.UtcNow.AddMinutes(-61));
        await cluster.Upload(HashOf([3])).BeginAsync(60);

        Assert.Equal(2, FilesOf(cluster).Length);
        Assert.DoesNotContain(part, FilesOf(cluster));
    }

    [Fact]
    public async Task Where_there_is_no_room_files_go_that_no_run_names_and_nobody_asked_for()
    {
        await using var cluster = await StartAsync(new Limits { MaxUploadBytes = 60, MaxUploadsBytes = 100 });
        var (named, asked, idle) = (await SendAsync(cluster, 1), await SendAsync(cluster, 2), await SendAsync(cluster, 3));
        foreach (var file in new[] { named, asked, idle }) File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddMinutes(-61));
        var run = Directory.CreateDirectory(Path.Combine(cluster.RunsFolder, "some-run")).FullName;
        var spec = Path.Combine(run, "spec.json");
        Directory.CreateDirectory(Path.Combine(cluster.RunsFolder, "no-run"));
        File.WriteAllText(spec, $$$"""{ "data": { "dataset": "upload:{{{Path.GetFileNameWithoutExtension(named)}}}:some.csv" } }""");
        await cluster.Upload(Path.GetFileNameWithoutExtension(asked)).BeginAsync(20);

        // There is room enough: everything stays.
        await cluster.Upload(HashOf([4])).BeginAsync(20);
        Assert.Equal(4, FilesOf(cluster).Length);
        // What a run needs is not known: everything stays.
        File.Move(spec, Path.Combine(run, "run.json"));
        await Assert.ThrowsAsync<RunRejectedException>(() => cluster.Upload(HashOf([5])).BeginAsync(40));
        Assert.Equal(4, FilesOf(cluster).Length);
        File.Move(Path.Combine(run, "run.json"), spec);
        await cluster.Upload(HashOf([5])).BeginAsync(40);

        Assert.Equal((true, true, false), (File.Exists(named), File.Exists(asked), File.Exists(idle)));
    }

    [Fact]
    public async Task Runs_and_members_that_are_unfinished_have_a_limit()
    {
        await using var cluster = await StartAsync(new Limits { MaxUnfinishedRuns = 2, MaxUnfinishedMembers = 10 });
        var first = await cluster.SubmitAsync(Specs.Long);

        await RefusedAsync(
            "members is 6: the unfinished runs have 6, and this cluster takes 10 at a time (ENSEMBLE__LIMITS__MAXUNFINISHEDMEMBERS). Take fewer, or wait until a run ends.",
            () => cluster.SubmitAsync(Specs.Long.Replace("\"small\"", "\"other\"")), isForNow: true);
        await RefusedAsync(
            "members is 11: the unfinished runs have 6, and this cluster takes 10 at a time (ENSEMBLE__LIMITS__MAXUNFINISHEDMEMBERS). Take fewer, or wait until a run ends.",
            () => cluster.SubmitAsync("""{ "members": 11 }"""));
        await cluster.SubmitAsync("""{ "members": 1, "training": { "epochs": 100000 }, "data": { "dataset": "two-moons" } }""");
        await RefusedAsync(
            "2 runs are unfinished, and this cluster takes 2 at a time: wait until one ends, or stop one (ENSEMBLE__LIMITS__MAXUNFINISHEDRUNS).",
            () => cluster.SubmitAsync("""{ "members": 1 }"""), isForNow: true);

        await cluster.Coordinator(first).StopAsync();
    }

    [Fact]
    public async Task A_run_that_goes_on_needs_room_as_a_new_one_does_and_counts_at_once()
    {
        await using var cluster = await StartAsync(new Limits { MaxUnfinishedRuns = 2, MaxUnfinishedMembers = 10 });
        var paused = await cluster.SubmitAsync(Specs.Long);
        await PauseAsync(paused);
        var other = await cluster.SubmitAsync(Specs.Long.Replace("\"small\"", "\"other\""));

        await RefusedAsync(
            "members is 6: the unfinished runs have 6, and this cluster takes 10 at a time (ENSEMBLE__LIMITS__MAXUNFINISHEDMEMBERS). Take fewer, or wait until a run ends.",
            () => cluster.ResumeAsync(paused), isForNow: true);
        await PauseAsync(other);
        await cluster.ResumeAsync(paused);
        await RefusedAsync(
            "members is 6: the unfinished runs have 6, and this cluster takes 10 at a time (ENSEMBLE__LIMITS__MAXUNFINISHEDMEMBERS). Take fewer, or wait until a run ends.",
            () => cluster.ResumeAsync(other), isForNow: true);

        await PauseAsync(paused);

        async Task PauseAsync(RunKey run)
        {
            await cluster.Coordinator(run).StopAsync();
            while (!(await cluster.Scheduler.ListAsync(TestContext.Current.CancellationToken)).IsEmpty) await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Members_of_runs_that_another_scheduler_began_count_before_these_say_how_they_are()
    {
        using var runs = new RunsFolder();
        RunKey left;
        await using (var before = await EnsembleCluster.StartAsync(runsFolder: runs.Path)) left = await before.SubmitAsync(Specs.Long);
        await using var cluster = await EnsembleCluster.StartAsync(
            runsFolder: runs.Path, configure: options => options.Limits = new Limits { MaxUnfinishedMembers = 10 },
            configureSilo: silo => silo
                .AddIncomingGrainCallFilter(call => call.InterfaceMethod.Name == nameof(ICoordinator.GetLoadAsync) ? throw new TimeoutException("It is busy.") : call.Invoke())
                .Services.AddSingleton<IRunDirectory>(services => new Unfinished(new FileRunStore(services.GetRequiredService<EnsembleTrainingOptions>()), left)));

        await RefusedAsync(
            "members is 6: the unfinished runs have 6, and this cluster takes 10 at a time (ENSEMBLE__LIMITS__MAXUNFINISHEDMEMBERS). Take fewer, or wait until a run ends.",
            () => cluster.SubmitAsync(Specs.Long.Replace("\"small\"", "\"other\"")), isForNow: true);
        await RefusedAsync(
            "members is 6: the unfinished runs have 6, and this cluster takes 10 at a time (ENSEMBLE__LIMITS__MAXUNFINISHEDMEMBERS). Take fewer, or wait until a run ends.",
            () => cluster.Scheduler.MeasureAsync(new Submission(Specs.Long.Replace("\"small\"", "\"other\""))), isForNow: true);
    }

    [Fact]
    public async Task What_is_measured_is_refused_as_what_is_submitted()
    {
        await using var cluster = await StartAsync(new Limits { MaxUnfinishedMembers = 10, MaxColumns = 63 });

        await RefusedAsync(
            "members is 11: the unfinished runs have 0, and this cluster takes 10 at a time (ENSEMBLE__LIMITS__MAXUNFINISHEDMEMBERS). Take fewer, or wait until a run ends.",
            () => cluster.Scheduler.MeasureAsync(new Submission("""{ "members": 11 }""")));
        await RefusedAsync(
            "digits has 64 columns, and this cluster takes 63 (ENSEMBLE__LIMITS__MAXCOLUMNS). Choose among them before.",
            () => cluster.Scheduler.MeasureAsync(new Submission("""{ "members": 1 }""")));
    }

    [Fact]
    public async Task One_measurement_is_made_at_a_time()
    {
        await using var cluster = await StartAsync(new Limits());
        var since = Stopwatch.StartNew();

        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => cluster.Scheduler.MeasureAsync(new Submission("""{ "members": 1 }"""))));

        // Each warms up and measures for three seconds at least, however fast the machine is.
        Assert.True(since.Elapsed >= TimeSpan.FromSeconds(6), $"Both ended after {since.Elapsed}.");
    }

    [Fact]
    public async Task The_store_takes_so_many_runs_and_data_so_many_columns()
    {
        await using var cluster = await StartAsync(new Limits { MaxRuns = 1, MaxColumns = 63 });

        await RefusedAsync(
            "digits has 64 columns, and this cluster takes 63 (ENSEMBLE__LIMITS__MAXCOLUMNS). Choose among them before.",
            () => cluster.SubmitAsync("""{ "members": 1 }"""));
        await cluster.TrainAsync("""{ "members": 1, "training": { "epochs": 1 }, "data": { "dataset": "two-moons" } }""");
        await RefusedAsync(
            "1 run is in the store, and it takes 1 (ENSEMBLE__LIMITS__MAXRUNS): delete those that nobody needs.",
            () => cluster.SubmitAsync("""{ "members": 1, "data": { "dataset": "two-moons" } }"""));
    }

    [Fact]
    public async Task Columns_of_a_table_are_counted_before_its_rows_are_read()
    {
        await using var cluster = await StartAsync(new Limits { MaxColumns = 2 });
        var damaged = Encoding.UTF8.GetBytes($"a,b,c,label\n{string.Concat(Enumerable.Repeat("1,2,3,4\n", 100))}1,2\n");
        await SendAsync(cluster, damaged);
        var spec = $$"""{ "members": 1, "data": { "dataset": "{{new UploadedName(HashOf(damaged), "wide.csv")}}" } }""";
        const string Refused = "wide.csv has 3 columns, and this cluster takes 2 (ENSEMBLE__LIMITS__MAXCOLUMNS). Choose among them before.";

        await RefusedAsync(Refused, () => cluster.SubmitAsync(spec));
        await RefusedAsync(Refused, () => cluster.Scheduler.MeasureAsync(new Submission(spec)));
    }

    [Fact]
    public async Task Lists_come_in_pages()
    {
        await using var cluster = await StartAsync(new Limits { MaxListed = 2 });
        for (var i = 0; i < 3; i++) await cluster.TrainAsync("""{ "members": 1, "training": { "epochs": 1 }, "data": { "dataset": "two-moons" } }""");

        Assert.Equal(["two-moons-1", "two-moons-2"], (await cluster.Scheduler.ListAllAsync(null, TestContext.Current.CancellationToken)).Select(run => run.Name));
        Assert.Equal(["two-moons-3"], (await cluster.Scheduler.ListAllAsync("two-moons-2", TestContext.Current.CancellationToken)).Select(run => run.Name));
        Assert.Empty(await cluster.Scheduler.ListAllAsync("two-moons-3", TestContext.Current.CancellationToken));
    }

    private static Task<EnsembleCluster> StartAsync(Limits limits) => EnsembleCluster.StartAsync(configure: options => options.Limits = limits);

    /// <returns>The file in the store, of twenty bytes.</returns>
    private static Task<string> SendAsync(EnsembleCluster cluster, byte content) => SendAsync(cluster, [.. Enumerable.Repeat(content, 20)]);

    /// <returns>The file in the store.</returns>
    private static async Task<string> SendAsync(EnsembleCluster cluster, byte[] bytes)
    {
        var upload = cluster.Upload(HashOf(bytes));
        await upload.BeginAsync(bytes.Length);
        await upload.AppendAsync(0, bytes);
        await upload.CompleteAsync();
        return Path.Combine(cluster.RunsFolder, ".data", $"{HashOf(bytes)}.csv");
    }

    private static string[] FilesOf(EnsembleCluster cluster) => Directory.Exists(Path.Combine(cluster.RunsFolder, ".data"))
        ? Directory.GetFiles(Path.Combine(cluster.RunsFolder, ".data"))
        : [];

    private static string HashOf(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static async Task RefusedAsync(string because, Func<Task> call, bool isForNow = false)
    {
        var refused = await Assert.ThrowsAsync<RunRejectedException>(call);
        Assert.Equal((because, isForNow), (refused.Message, refused.IsForNow));
    }

    /// <summary>A store whose run goes on by itself.</summary>
    private sealed class Unfinished(IRunDirectory store, RunKey run) : IRunDirectory
    {
        public Task<RunKey?> FindAsync(string name) => store.FindAsync(name);

        public Task<ImmutableArray<RunKey>> AllAsync(CancellationToken cancellation) => store.AllAsync(cancellation);

        public Task<long> CountAsync() => store.CountAsync();

        public Task<ImmutableArray<RunKey>> UnfinishedAsync() => Task.FromResult<ImmutableArray<RunKey>>([run]);
    }
}
