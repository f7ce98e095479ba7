using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace DistributedEnsemble.Browser.Tests;

/// <summary>What the page says where the ensemble's score is not known yet, or never will be.</summary>
public sealed partial class ScoreTests(PageServer server, Browser browser) : IClassFixture<PageServer>
{
    private const string NoRows = "This run kept no validation rows to measure on.";

    [Fact]
    public async Task A_run_that_ended_is_being_measured_until_there_is_a_score()
    {
        using var client = new HttpClient();
        using var stream = new StreamReader(await client.GetStreamAsync($"{server.Url}/api/runs/small/live", TestContext.Current.CancellationToken));
        string[] first = [(await stream.ReadLineAsync(TestContext.Current.CancellationToken))!, (await stream.ReadLineAsync(TestContext.Current.CancellationToken))!];
        Assert.Equal("event: all", first[0]);
        await using var window = await browser.OpenAsync(server.Url);
        await window.Page.RouteAsync("**/api/runs/small/live", route => route.FulfillAsync(new RouteFulfillOptions { ContentType = "text/event-stream", Body = string.Join('\n', first) + "\n\n" }));

        await window.GoAsync("/runs/small");

        await Expect(window.Page.GetByText("Being measured …").First).ToBeVisibleAsync();
        await Expect(window.Page.GetByText(NoRows)).ToHaveCountAsync(0);
        await window.Page.UnrouteAllAsync();
        await Expect(window.Page.GetByText("validation rows")).ToContainTextAsync("with 3 members");
        await Expect(window.Page.GetByText("Being measured …")).ToHaveCountAsync(0);
        Assert.Empty(window.Failures);
    }

    [Fact(Timeout = 300_000)]
    public async Task The_ensembles_score_grows_on_the_page_also_without_early_stopping()
    {
        await using var watching = await browser.OpenAsync(server.Url);
        var run = await server.SubmitAsync($$"""
            { "name": "growing", "seed": 3, "members": 2, "data": { "dataset": "digits" }, "model": {{PageServer.HeldModel}}, "training": { "epochs": 20 },
              "snapshots": { "perMember": 10 }, "checkpoints": { "everySeconds": 1 } }
            """);
        await watching.GoAsync("/runs/growing");
        await NextScoresAsync(scores => scores.GetProperty("history").GetArrayLength() > 1);
        server.Released.Set();
        await server.WhenAsync(run, status => status.HasEnded);

        // It is measured once more after its end.
        var scores = await NextScoresAsync(scores => scores.GetProperty("history").EnumerateArray().Last().GetProperty("steps").GetInt64() == 1640);
        var (history, sizes) = (scores.GetProperty("history").EnumerateArray().ToArray(), scores.GetProperty("sizes").EnumerateArray().ToArray());
        Assert.Equal(history.Select(point => point.GetProperty("steps").GetInt64()).Order(), history.Select(point => point.GetProperty("steps").GetInt64()));
        Assert.Equal(sizes[^1].GetProperty("measures").GetRawText(), history[^1].GetProperty("measures").GetRawText());
        await Expect(watching.Page.GetByRole(AriaRole.Img, new PageGetByRoleOptions { NameRegex = Grown() })).ToBeVisibleAsync();
        Assert.Empty(watching.Failures);
    }

    /// <summary>The first scores as wanted that a new watcher of the run is told.</summary>
    private async Task<JsonElement> NextScoresAsync(Func<JsonElement, bool> isWanted)
    {
        using var client = new HttpClient();
        using var stream = new StreamReader(await client.GetStreamAsync($"{server.Url}/api/runs/growing/live", TestContext.Current.CancellationToken));
        while (true)
        {
            if (await stream.ReadLineAsync(TestContext.Current.CancellationToken) != "event: scores") continue;
            var scores = JsonElement.Parse((await stream.ReadLineAsync(TestContext.Current.CancellationToken))!["data: ".Length..]);
            if (isWanted(scores)) return scores;
        }
    }

    [Fact]
    public async Task A_run_without_rows_to_measure_on_says_so()
    {
        var run = await server.SubmitAsync("""
            { "name": "unmeasured", "seed": 3, "members": 2, "data": { "dataset": "digits", "validationFraction": 0 }, "model": { "kind": "mlp", "hidden": [16] }, "training": { "epochs": 1 } }
            """);
        await server.WhenAsync(run, status => status.HasEnded);
        await using var window = await browser.OpenAsync(server.Url);

        await window.GoAsync("/runs/unmeasured");

        await Expect(window.Page.GetByText(NoRows).First).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_run_that_nobody_can_measure_says_that_this_failed()
    {
        var table = Path.Combine(server.RunsFolder, "lost.csv");
        File.Copy(Path.Combine(server.RunsFolder, "table.csv"), table);
        var run = await server.SubmitAsync($$"""
            { "name": "lost", "seed": 3, "members": 2, "data": { "dataset": "{{table}}", "target": "price" }, "training": { "epochs": 1 } }
            """);
        await server.WhenAsync(run, status => status.HasEnded);
        foreach (var weights in Directory.GetFiles(Path.Combine(server.RunsFolder, "lost"), "*.safetensors", SearchOption.AllDirectories)) File.Delete(weights);
        await using var window = await browser.OpenAsync(server.Url);

        await window.GoAsync("/runs/lost");

        await Expect(window.Page.GetByText("The ensemble could not be measured; the server's log says why.").First).ToBeVisibleAsync();
        await Expect(window.Page.GetByText(NoRows)).ToHaveCountAsync(0);
    }

    [GeneratedRegex("^Ensemble as it trains.* of 2 members at step")]
    private static partial Regex Grown();
}
