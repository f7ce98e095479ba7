using System.Text.RegularExpressions;
using DistributedEnsemble.Runs;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace DistributedEnsemble.Browser.Tests;

/// <summary>The live page of a cluster of processes, in which one dies.</summary>
public sealed partial class ClusterPageTests(Browser browser)
{
    internal const string InferenceKey = "inference-0123456789", AdminKey = "admin-0123456789abcdef";

    [Fact(Timeout = 300_000)]
    public async Task A_silo_that_is_killed_is_seen_to_lose_its_members_which_go_on_elsewhere_where_they_are_stopped_and_resumed()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 0);
        var shown = await AddServingSiloAsync(cluster, lanes: 2);
        var doomed = await cluster.AddSiloAsync();
        await using var window = await browser.OpenAsync(shown.Url!);
        await LogInAsync(window, "wrong-0123456789ab");
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("This key is not one of the server's.");
        await LogInAsync(window, AdminKey);
        await StartAsync(window, "seen", members: 2, epochs: Endless.Epochs, """{ "model": { "kind": "mlp", "hidden": [33] }, "training": { "batchSize": 8 }, "checkpoints": { "everySeconds": 1 } }""");

        var before = await cluster.WhenAsync("seen", run => run.Members.Any(member => member.Silo == doomed.Endpoint && member is { State: MemberState.Training, Step: > 50 }));
        var member = before.Members.First(one => one.Silo == doomed.Endpoint).Index;
        await Expect(SiloCell(window, member)).ToContainTextAsync(doomed.Endpoint!);
        await doomed.KillAsync();

        await Expect(Happening(window, $"Member {member} lost its silo {doomed.Endpoint}")).ToBeVisibleAsync();
        await Expect(Happening(window, $"Member {member} went on at step").Filter(new LocatorFilterOptions { HasText = shown.Endpoint })).ToBeVisibleAsync();
        await Expect(SiloCell(window, member)).ToContainTextAsync(shown.Endpoint!);

        await window.Button("Stop").ClickAsync();
        await Expect(State(window)).ToHaveTextAsync("paused");
        await window.Button("Resume").ClickAsync();
        await Expect(Happening(window, "The run went on")).ToBeVisibleAsync();
        await window.Button("Stop").ClickAsync();
        await Expect(State(window)).ToHaveTextAsync("paused");

        // What is left of the cluster trains another run to its end.
        await window.Link("Runs").First.ClickAsync();
        await StartAsync(window, "after", members: 3, epochs: 3, """{ "model": { "kind": "mlp", "hidden": [33] } }""");
        await Expect(State(window)).ToHaveTextAsync("completed", new LocatorAssertionsToHaveTextOptions { Timeout = (float)Until.Patience.TotalMilliseconds });
        await Expect(Happening(window, "The run completed")).ToBeVisibleAsync();
        await Expect(window.Page.Locator(".facts dd").First).ToContainTextAsync("100 %");
        Assert.Equal(RunState.Completed, (await cluster.WhenAsync("after", run => run.HasEnded)).State);
        Assert.Empty(window.Failures);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_model_of_the_cluster_answers_on_the_page_of_a_silo_that_trained_none_of_it()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 1);
        await cluster.RunAsync("train", "--dataset", "two-moons", "--members", "2", "--epochs", "5", "--name", "moons", "--set", "model.hidden=[8]");
        var shown = await AddServingSiloAsync(cluster);
        await using var window = await browser.OpenAsync(shown.Url!);
        await LogInAsync(window, InferenceKey);
        await Expect(window.Heading("Runs")).ToBeVisibleAsync();

        await window.GoAsync("/runs/moons/predict");
        foreach (var field in await window.Page.Locator("form input").AllAsync()) await field.FillAsync("0.5");
        await window.Button("Predict").ClickAsync();

        await Expect(window.Page.Locator(".bars li")).ToHaveCountAsync(2);
        await Expect(window.Page.GetByText("of 2 members say so")).ToBeVisibleAsync();
        await window.GoAsync("/runs/moons");
        await Expect(window.Heading("moons")).ToBeVisibleAsync();
        await Expect(window.Button("Stop")).ToBeHiddenAsync();
        await Expect(window.Page.GetByRole(AriaRole.Img, new PageGetByRoleOptions { NameRegex = LossWithStep() })).ToBeVisibleAsync();
        Assert.Empty(window.Failures);
    }

    internal static Task<SiloProcess> AddServingSiloAsync(LocalCluster cluster, int lanes = 1)
    {
        var keyed = Host.Here with { Environment = new Dictionary<string, string> { ["ENSEMBLE__SERVING__INFERENCEKEY"] = InferenceKey, ["ENSEMBLE__SERVING__ADMINKEY"] = AdminKey } };
        return cluster.AddSiloAsync(() => keyed.Start(SiloProcess.Program, ["--cluster", cluster.Redis.Url, "--runs", cluster.Runs, "--lanes", $"{lanes}", "--lane-priority", "low", "--http", "http://127.0.0.1:0"]));
    }

    internal static async Task LogInAsync(Window window, string key)
    {
        await window.GoAsync("/login");
        await window.Page.GetByLabel("Key").FillAsync(key);
        await window.Button("Log in").ClickAsync();
    }

    private static async Task StartAsync(Window window, string name, int members, int epochs, string more)
    {
        await window.Link("Start a run").ClickAsync();
        await window.Page.GetByLabel("Members").FillAsync($"{members}");
        await window.Page.GetByLabel("Epochs").FillAsync($"{epochs}");
        await window.Page.GetByLabel("Name").FillAsync(name);
        await window.Page.GetByLabel("Further keys of the spec, as JSON").FillAsync(more);
        await window.Button("Start").ClickAsync();
        await Expect(window.Heading(name)).ToBeVisibleAsync();
    }

    private static ILocator State(Window window) => window.Page.Locator(".title .state");

    private static ILocator Happening(Window window, string text) => window.Page.GetByRole(AriaRole.Listitem).Filter(new LocatorFilterOptions { HasText = text }).First;

    private static ILocator SiloCell(Window window, int member) => window.Page.GetByRole(AriaRole.Table, new PageGetByRoleOptions { Name = "Members" })
        .GetByRole(AriaRole.Row).Filter(new LocatorFilterOptions { Has = window.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = $"{member}", Exact = true }) })
        .Locator(".silo-cell");

    [GeneratedRegex("Loss of batches.*step")]
    private static partial Regex LossWithStep();
}
