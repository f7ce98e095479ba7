using Microsoft.Playwright;
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
        await AssertNothingIsCutAsync(window, "on a phone", 390, Media.Screen);
        // The width of A4 within its margins.
        await AssertNothingIsCutAsync(window, "in print", 688, Media.Print);
        Assert.StartsWith("%PDF", System.Text.Encoding.Latin1.GetString(await window.Page.PdfAsync()), StringComparison.Ordinal);
        Assert.Empty(window.Failures);
    }

    /// <summary>On paper nobody moves a table, and nowhere a drawing: what has no room becomes smaller.</summary>
    private static async Task AssertNothingIsCutAsync(Window window, string where, int width, Media media)
    {
        await window.Page.SetViewportSizeAsync(width, 1000);
        await window.Page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = media });
        var cut = await window.Page.EvaluateAsync<string[]>("""
            isPrint => {
              const edge = document.documentElement.clientWidth, cut = [];
              if (document.documentElement.scrollWidth > edge) cut.push('the page');
              for (const drawing of document.querySelectorAll('figure svg')) {
                const { right, width } = drawing.getBoundingClientRect();
                if (right > edge || !drawing.viewBox.baseVal || drawing.viewBox.baseVal.width < width) cut.push(drawing.parentElement.previousElementSibling.textContent);
              }
              for (const table of document.querySelectorAll('table')) if (isPrint && table.getBoundingClientRect().right > edge) cut.push(table.closest('[aria-label]')?.ariaLabel ?? table.textContent);
              // Printers leave colours of cells out, unless they are told that these say something.
              for (const cell of document.querySelectorAll('table.confusion td')) if (isPrint && getComputedStyle(cell).printColorAdjust !== 'exact') cut.push(`the colour of ${cell.textContent}`);
              return cut;
            }
            """, media == Media.Print);
        Assert.True(cut.Length == 0, $"{where}: {string.Join(", ", cut)}");
    }
}
