using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Plans;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace DistributedEnsemble.Grains.Tests.Plans;

/// <summary>How long data stays in a silo's memory.</summary>
public sealed class DataMemoryTests
{
    private PlanCache? _plans;

    [Fact]
    public async Task Data_of_refused_submissions_does_not_stay_and_names_do_not_multiply_it()
    {
        await using var cluster = await StartAsync();
        var sha256 = await UploadAsync(cluster, string.Concat(Enumerable.Range(0, 100).Select(i => $"{i % 7},{i % 2}\n")));

        for (var i = 0; i < 3; i++)
        {
            // Found only when the data is there.
            await Assert.ThrowsAsync<RunRejectedException>(() => cluster.SubmitAsync(
                $$"""{ "members": 1, "training": { "epochs": 1 }, "snapshots": { "perMember": 1000 }, "data": { "dataset": "{{new UploadedName(sha256, $"{i}.csv")}}" } }"""));
        }

        Assert.Equal(0, _plans!.Datasets);
        string Endless(string name) => $$"""{ "members": 1, "training": { "epochs": 1000000, "earlyStopping": null }, "data": { "dataset": "{{new UploadedName(sha256, name)}}" } }""";
        var one = await cluster.SubmitAsync(Endless("one.csv"));
        var other = await cluster.SubmitAsync(Endless("other.csv"));
        foreach (var run in (RunKey[])[one, other]) await cluster.WhenAsync(run, status => status.Steps > 0);
        Assert.Equal(1, _plans.Datasets);
        Assert.Contains("\"dataset\": \"other.csv\"", (await cluster.Coordinator(other).GetDefinitionAsync()).Data);

        foreach (var run in (RunKey[])[one, other])
        {
            await cluster.Coordinator(run).StopAsync();
            await cluster.WhenAsync(run, status => status.State == RunState.Paused);
        }

        while (_plans.Datasets > 0) await Task.Delay(20, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_name_that_is_taken_is_refused_before_the_data_is_read()
    {
        await using var cluster = await StartAsync();
        await cluster.TrainAsync("""{ "name": "taken", "members": 1, "training": { "epochs": 1 }, "data": { "dataset": "two-moons" } }""");
        var broken = await UploadAsync(cluster, "oops,0\n");

        var refused = await Assert.ThrowsAsync<RunRejectedException>(() => cluster.SubmitAsync(
            $$"""{ "name": "taken", "members": 1, "data": { "dataset": "{{new UploadedName(broken, "broken.csv")}}" } }"""));

        Assert.StartsWith("Run \"taken\" already exists in ", refused.Message);
    }

    /// <summary>What a file is taken for changes from version to version; a run goes on with what it was begun with.</summary>
    [Fact]
    public void A_run_that_was_begun_with_another_reading_of_a_file_has_data_of_its_own()
    {
        using var runs = new RunsFolder();
        var file = Path.Combine(runs.Path, "rows.csv");
        File.WriteAllText(file, "sex,survived\n" + string.Concat(Enumerable.Range(0, 60).Select(i => $"{(i % 2 == 0 ? "female" : "male")},{(i % 3 == 0 ? "survived" : "died")}\n")));
        var options = new EnsembleTrainingOptions { RunsFolder = runs.Path, ReadsPaths = true };
        using var plans = new PlanCache(options, new LockedFolders(options), TimeProvider.System, NullLogger<PlanCache>.Instance);
        var (today, former) = (Begin("today", header: true), Begin("former", header: false));

        using var ofToday = plans.Take(today);
        using var ofFormer = plans.Take(former);
        Assert.Equal((60, 61), (Rows(ofToday), Rows(ofFormer)));
        Assert.Equal(2, plans.Datasets);
        using var again = plans.Take(Begin("again", header: null));
        Assert.Same(ofToday.Plan.Dataset, again.Plan.Dataset);
        Assert.Equal(2, plans.Datasets);

        long Rows(PlanCache.PlanUse use) => use.Plan.Dataset.Train.Count + use.Plan.Dataset.Test.Count;

        KnownRun Begin(string name, bool? header)
        {
            string Text(string more) => $$"""{ "name": "{{name}}", "members": 1, "data": { "dataset": {{JsonSerializer.Serialize(file)}}{{more}} } }""";
            var document = SpecDocument.Parse(Text(header is null ? "" : $", \"header\": {(header.Value ? "true" : "false")}"));
            using var data = plans.Load(document, namesPaths: true);
            var plan = plans.Plan(plans.Resolve(document, namesPaths: true, data.Dataset), data.Dataset);
            return KnownRun.Of(RunKey.New(name), new RunDefinition((plan.Spec with { Data = plan.Spec.Data with { Header = null } }).ToJson(), DataDescription.Of(plan).ToJson()));
        }
    }

    private Task<EnsembleCluster> StartAsync() => EnsembleCluster.StartAsync(
        configure: options => options.Limits = new Limits { DataLinger = TimeSpan.Zero },
        configureSilo: silo => silo.AddStartupTask((services, _) =>
        {
            _plans = services.GetRequiredService<PlanCache>();
            return Task.CompletedTask;
        }));

    private static async Task<string> UploadAsync(EnsembleCluster cluster, string rows)
    {
        var bytes = Encoding.UTF8.GetBytes($"x,label\n{rows}");
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        var upload = cluster.Upload(sha256);
        await upload.BeginAsync(bytes.Length);
        await upload.AppendAsync(0, bytes);
        await upload.CompleteAsync();
        return sha256;
    }
}
