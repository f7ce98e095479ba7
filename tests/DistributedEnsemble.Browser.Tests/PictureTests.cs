using System.Text.RegularExpressions;
using DistributedEnsemble.Runs;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace DistributedEnsemble.Browser.Tests;

/// <summary>
/// Takes the pictures of docs/images anew. Is not part of a run of all tests; after a change of the page:
/// <c>tests/DistributedEnsemble.Browser.Tests/bin/Debug/net10.0/DistributedEnsemble.Browser.Tests -explicit only -class "*PictureTests"</c>.
/// </summary>
public sealed partial class PictureTests(PageServer server, Browser browser) : IClassFixture<PageServer>
{
    [Fact(Explicit = true, Timeout = 400_000)]
    public async Task Of_a_run_in_training_on_a_cluster()
    {
        await using var cluster = await LocalCluster.StartAsync(silos: 0);
        var shown = await ClusterPageTests.AddServingSiloAsync(cluster);
        await cluster.AddSiloAsync();
        await cluster.AddSiloAsync();
        await using var window = await browser.OpenAsync(shown.Url!);
        await ClusterPageTests.LogInAsync(window, ClusterPageTests.AdminKey);
        await window.Link("Start a run").ClickAsync();
        await window.Page.GetByLabel("Members").FillAsync("12");
        await window.Page.GetByLabel("Epochs").FillAsync("600");
        await window.Page.GetByLabel("Name").FillAsync("digits-1");
        await window.Page.GetByLabel("Further keys of the spec, as JSON").FillAsync("""{ "model": { "kind": "mlp", "hidden": [64] }, "checkpoints": { "everySeconds": 1 }, "snapshots": { "perMember": 3 }, "averaging": { "decay": 0.99 } }""");
        await window.Button("Start").ClickAsync();
        await cluster.WhenAsync("digits-1", run => run.HasEnded || run.Members.Count(member => member.State == MemberState.Completed) >= 3);

        await Expect(window.Page.GetByRole(AriaRole.Img, new PageGetByRoleOptions { NameRegex = Measured() })).ToBeVisibleAsync();
        await Expect(window.Page.Locator(".silo")).ToHaveCountAsync(3);
        await Expect(window.Page.Locator(".title .state")).ToHaveTextAsync("running");
        await TakeAsync(window, "page-run-light", 1180, fullPage: true);
        await window.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Dark });
        await TakeAsync(window, "page-run-dark", 1180, fullPage: true);
        await TakeAsync(window, "page-phone-dark", 390);
        await window.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Light });
        await TakeAsync(window, "page-phone-light", 390);
    }

    [Fact(Explicit = true)]
    public async Task Of_a_drawn_digit()
    {
        await using var window = await browser.OpenAsync(server.Url);
        await window.GoAsync("/runs/small/predict");
        await window.Page.SetViewportSizeAsync(1180, 760);
        var box = await window.Page.Locator("canvas").BoundingBoxAsync();
        await MoveAsync(0.25f, 0.2f);
        await window.Page.Mouse.DownAsync();
        foreach (var (x, y) in new[] { (0.75f, 0.2f), (0.45f, 0.85f) }) await MoveAsync(x, y);
        await window.Page.Mouse.UpAsync();
        await Expect(window.Page.Locator(".bars li")).ToHaveCountAsync(10);
        await TakeAsync(window, "page-predict-light", 1180, 760);

        Task MoveAsync(float x, float y) => window.Page.Mouse.MoveAsync(box!.X + (box.Width * x), box.Y + (box.Height * y), new MouseMoveOptions { Steps = 8 });
    }

    [Fact(Explicit = true)]
    public async Task Of_a_number_s_density()
    {
        await using var window = await browser.OpenAsync(server.Url, ColorScheme.Dark);
        await window.GoAsync("/runs/prices/predict");
        await window.Page.GetByLabel("size").FillAsync("20.5");
        await window.Page.GetByLabel("kind").SelectOptionAsync("red");
        await window.Button("Predict").ClickAsync();
        await Expect(window.Page.Locator(".answer")).ToContainTextAsync("±");
        await TakeAsync(window, "page-density-dark", 1180, 650);
    }

    private static async Task TakeAsync(Window window, string name, int width, int height = 844, bool fullPage = false)
    {
        await window.Page.SetViewportSizeAsync(width, height);
        // What follows the window's size is drawn at the next frame.
        await window.Page.EvaluateAsync("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
        await window.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Repository.File($"docs/images/{name}.png"), FullPage = fullPage });
    }

    [GeneratedRegex("with [0-9]+ members")]
    private static partial Regex Measured();
}
