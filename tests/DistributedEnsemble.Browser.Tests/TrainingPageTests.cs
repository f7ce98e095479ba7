using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace DistributedEnsemble.Browser.Tests;

/// <summary>The page that <c>ensemble train --open</c> serves while it trains.</summary>
public sealed partial class TrainingPageTests(Browser browser)
{
    [Fact(Timeout = 300_000)]
    public async Task A_training_is_watched_and_stopped_where_its_driver_says()
    {
        using var folder = new TemporaryFolder();
        await using var driver = new LocalProcess(
            Path.Combine(AppContext.BaseDirectory, "ensemble"), "train", "--open", "--runs", folder.Path, "--name", "opened", "--members", "2", "--lanes", "1",
            "--epochs", $"{Endless.Epochs}", "--set", "training.batchSize=8", "--set", "model.kind=mlp", "--set", "model.hidden=[16]", "--set", "checkpoints.everySeconds=1");
        await Until.TrueAsync(() => Address().IsMatch(driver.Errors) || driver.HasExited);
        var address = Address().Match(driver.Errors);
        Assert.True(address.Success, driver.Errors);
        await using var window = await browser.OpenAsync(address.Groups["server"].Value);

        await window.GoAsync(address.Groups["view"].Value);
        await Expect(window.Heading("opened")).ToBeVisibleAsync();
        await Expect(window.Page.GetByRole(AriaRole.Img, new PageGetByRoleOptions { NameRegex = LossWithStep() })).ToBeVisibleAsync();
        await Expect(window.Page.Locator(".silo .lane")).ToHaveCountAsync(1);
        await window.AssertNoneShutOutAsync();
        await window.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Dark });
        await window.AssertNoneShutOutAsync();
        await window.Button("Stop").ClickAsync();

        await Until.TrueAsync(() => driver.HasExited);
        Assert.Contains("resume opened", driver.Errors, StringComparison.Ordinal);
        Assert.Empty(window.Failures);
    }

    [GeneratedRegex(@"^Watch it at (?<server>http://127\.0\.0\.1:\d+)/#(?<view>/runs/opened)$", RegexOptions.Multiline)]
    private static partial Regex Address();

    [GeneratedRegex("Loss of batches.*step")]
    private static partial Regex LossWithStep();
}
