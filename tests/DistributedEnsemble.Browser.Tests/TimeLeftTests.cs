using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace DistributedEnsemble.Browser.Tests;

/// <summary>How long the page says that a run will still take.</summary>
public sealed partial class TimeLeftTests(PageServer server, Browser browser) : IClassFixture<PageServer>
{
    [Fact]
    public async Task Members_whose_steps_take_longer_count_for_more()
    {
        var told = 0;
        await using var window = await browser.OpenAsync(server.Url);
        // Each time that the page listens, the cheap member is ten steps further; the one that is nine times the work has not begun.
        await window.Page.RouteAsync("**/api/runs/small/live", route => route.FulfillAsync(new RouteFulfillOptions
        {
            ContentType = "text/event-stream",
            Body = route.Request.Method != "GET" ? "" : $$"""
                event: all
                data: {"run":"small","id":"1","state":"running","exact":true,"steps":{{10 * ++told}},"stepsTotal":2000,"trainSeconds":{{told}},"memberCount":2,"members":[{"index":0,"state":"training","step":{{10 * told}},"stepsTotal":1000,"cost":1},{"index":1,"state":"waiting","step":0,"stepsTotal":1000,"cost":9}]}


                """,
        }));

        await window.GoAsync("/runs/small");

        // A step of the cheap member is a ten thousandth of all work, and a two thousandth of all steps.
        await Expect(window.Page.Locator(".facts dd").Nth(0)).ToHaveTextAsync(Measured());
        var (steps, speed, left) = (await NumberAsync(0), await NumberAsync(2), await NumberAsync(3));
        Assert.InRange(left * speed / (2000 - steps), 3.5, 6.5);

        async Task<double> NumberAsync(int fact)
        {
            var word = (await window.Page.Locator(".facts dd").Nth(fact).InnerTextAsync()).Split(' ')[0].Replace(",", "", StringComparison.Ordinal);
            return word.Split(':').Aggregate(0.0, (sum, part) => (60 * sum) + double.Parse(part, CultureInfo.InvariantCulture));
        }
    }

    [GeneratedRegex("^(?:[6-9]0|[1-4][0-9]0) of")]
    private static partial Regex Measured();
}
