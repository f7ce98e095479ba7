using static Microsoft.Playwright.Assertions;

namespace DistributedEnsemble.Browser.Tests;

/// <summary>A run's report, as somebody opens it who got the file alone.</summary>
public sealed class ReportTests(Browser browser)
{
    [Theory(Timeout = 300_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_report_opens_without_a_network_shuts_nobody_out_and_prints(bool isRegression)
    {
        using var folder = new TemporaryFolder();
        var table = folder.File("numbers.csv");
        await File.WriteAllLinesAsync(table, ["a,b,y", .. Enumerable.Range(0, 200).Select(i => $"{i * 37 % 101},{i * i % 89},{3 * (i * 37 % 101) - (i * i % 89)}")], TestContext.Current.CancellationToken);
        string[] kind = isRegression ? ["--dataset", table] : ["--set", "model.kind=mlp", "--set", "model.hidden=[16]"];
        var driver = Path.Combine(AppContext.BaseDirectory, "ensemble");
        await LocalProcess.RunAsync(driver, ["train", "--runs", folder.Path, "--name", "sent", "--members", "3", "--epochs", "2", .. kind]);
        await LocalProcess.RunAsync(driver, ["report", "sent", "--runs", folder.Path]);
        var file = folder.File("alone.html");
        File.Copy(Path.Combine(folder.Path, "sent", "report", "index.html"), file);
        await using var window = await browser.OpenAsync("http://127.0.0.1:1");
        List<string> asked = [];
        window.Page.Request += (_, request) => asked.Add(request.Url);
        await window.SetOfflineAsync(true);

        await window.Page.GotoAsync(new Uri(file).AbsoluteUri);

        await Expect(window.Heading("Model card")).ToBeVisibleAsync();
        Assert.DoesNotContain(asked, url => url.StartsWith("http", StringComparison.Ordinal));
        await Expect(window.Heading("What the predictions lean on")).ToHaveCountAsync(isRegression ? 1 : 0);
        await window.AssertNoneShutOutAsync();
        Assert.StartsWith("%PDF", System.Text.Encoding.Latin1.GetString(await window.Page.PdfAsync()), StringComparison.Ordinal);
        Assert.Empty(window.Failures);
    }
}
