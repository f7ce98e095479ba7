using System.Globalization;
using System.Text.RegularExpressions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace DistributedEnsemble.Browser.Tests;

/// <summary>The live page, as people use it.</summary>
public sealed partial class PageTests(PageServer server, Browser browser) : IClassFixture<PageServer>
{
    [Fact]
    public async Task A_run_is_started_watched_stopped_resumed_and_seen_to_its_end()
    {
        server.Released.Reset();
        await using var window = await browser.OpenAsync(server.Url);
        await window.GoAsync("/start");
        await window.Page.GetByLabel("Dataset").FillAsync("digits");
        await window.Page.GetByLabel("Members").FillAsync("2");
        await window.Page.GetByLabel("Epochs").FillAsync("100");
        await window.Page.GetByLabel("Name").FillAsync("watched");
        await window.Page.GetByLabel("Further keys of the spec, as JSON").FillAsync($$"""{ "model": {{PageServer.HeldModel}}, "checkpoints": { "everySeconds": 1 }, "snapshots": { "perMember": 4 } }""");
        await window.Button("Start").ClickAsync();

        await Expect(window.Heading("watched")).ToBeVisibleAsync();
        await window.Button("Stop").ClickAsync();
        await Expect(window.Page.Locator(".title .state")).ToHaveTextAsync("paused");
        await Expect(window.Page.GetByRole(AriaRole.Listitem).Filter(new LocatorFilterOptions { HasText = "The run paused" })).ToBeVisibleAsync();
        await window.Button("Resume").ClickAsync();
        await Expect(window.Page.GetByRole(AriaRole.Listitem).Filter(new LocatorFilterOptions { HasText = "The run went on" })).ToBeVisibleAsync();
        server.Released.Set();
        await Expect(window.Page.GetByRole(AriaRole.Img, new PageGetByRoleOptions { NameRegex = LossWithStep() })).ToBeVisibleAsync();
        await Expect(window.Page.Locator(".title .state")).ToHaveTextAsync("completed");
        await Expect(window.Link("Predict")).ToBeVisibleAsync();
        await Expect(window.Page.GetByRole(AriaRole.Img, new PageGetByRoleOptions { NameRegex = SizeOfTwo() })).ToBeVisibleAsync();
        Assert.Empty(window.Failures);
    }

    [Fact]
    public async Task A_run_that_is_watched_from_its_start_says_of_which_measure_its_curves_are()
    {
        server.Released.Reset();
        // Until it is released, its first line is minutes away.
        var run = await server.SubmitAsync($$"""
            { "name": "named", "seed": 3, "members": 1, "data": { "dataset": "digits" }, "model": {{PageServer.HeldModel}},
              "training": { "epochs": {{Endless.Epochs}}, "batchSize": 8 }, "checkpoints": { "everySeconds": 1 }, "logging": { "everySteps": 10000 } }
            """);
        await using var window = await browser.OpenAsync(server.Url);
        await window.Page.RunAndWaitForResponseAsync(() => window.GoAsync("/runs/named"), response => response.Url.Contains("/metrics?", StringComparison.Ordinal));
        await Expect(window.Heading("Quality of batches")).ToBeVisibleAsync();

        server.Released.Set();

        await Expect(window.Heading("Accuracy of batches")).ToBeVisibleAsync();
        await Expect(window.Page.Locator(".title .state")).ToHaveTextAsync("running");
        await window.Button("Stop").ClickAsync();
        await server.WhenAsync(run, status => status.State == RunState.Paused);
        Assert.Empty(window.Failures);
    }

    [Fact]
    public async Task Keys_open_what_they_are_for_and_a_wrong_one_opens_nothing()
    {
        await using var window = await browser.OpenAsync(server.KeyedUrl);
        await window.GoAsync("/runs/thousand");
        await Expect(window.Heading("Log in")).ToBeVisibleAsync();

        await window.Page.GetByLabel("Key").FillAsync("wrong-0123456789");
        await window.Button("Log in").ClickAsync();
        await Expect(window.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("This key is not one of the server's.");
        Assert.Empty(await window.CookiesAsync());

        await window.Page.GetByLabel("Key").FillAsync(PageServer.InferenceKey);
        await window.Button("Log in").ClickAsync();
        await Expect(window.Heading("thousand")).ToBeVisibleAsync();
        await Expect(window.Page.Locator(".title .state")).ToHaveTextAsync("paused");
        await Expect(window.Button("Resume")).ToBeHiddenAsync();
        var cookie = Assert.Single(await window.CookiesAsync());
        Assert.Equal((true, SameSiteAttribute.Strict), (cookie.HttpOnly, cookie.SameSite));
        Assert.DoesNotContain(PageServer.InferenceKey, cookie.Value, StringComparison.Ordinal);

        await window.Link("Log in").ClickAsync();
        await window.Page.GetByLabel("Key").FillAsync(PageServer.AdminKey);
        await window.Button("Log in").ClickAsync();
        await Expect(window.Link("Start a run")).ToBeVisibleAsync();
        await window.Page.GetByText("thousand", new PageGetByTextOptions { Exact = true }).ClickAsync();
        await Expect(window.Button("Resume")).ToBeVisibleAsync();

        await window.Button("Log out").ClickAsync();
        await Expect(window.Heading("Log in")).ToBeVisibleAsync();
        Assert.Empty(await window.CookiesAsync());
    }

    [Fact]
    public async Task A_thousand_members_are_a_few_rows_and_all_within_reach()
    {
        await using var window = await browser.OpenAsync(server.Url);
        await window.GoAsync("/runs/thousand");
        var table = window.Page.GetByRole(AriaRole.Table, new PageGetByRoleOptions { Name = "Members" });
        await Expect(table).ToHaveAttributeAsync("aria-rowcount", "1001");
        Assert.InRange(await table.GetByRole(AriaRole.Row).CountAsync(), 5, 60);

        await table.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "0", Exact = true }).FocusAsync();
        await window.Page.Keyboard.PressAsync("End");
        await Expect(table.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "999", Exact = true })).ToBeFocusedAsync();
        await window.Page.Keyboard.PressAsync("ArrowUp");
        await window.Page.Keyboard.PressAsync("Enter");
        await Expect(table.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "998", Exact = true })).ToHaveAttributeAsync("aria-pressed", "true");

        await window.Button("1 failed").ClickAsync();
        await Expect(table).ToHaveAttributeAsync("aria-rowcount", "2");
        await Expect(table.GetByText("The loss is not a number.", new LocatorGetByTextOptions { Exact = true })).ToBeVisibleAsync();
        await Expect(window.Page.GetByText("10 to 90 % of the members").First).ToBeVisibleAsync();
        Assert.Empty(window.Failures);
    }

    [Fact]
    public async Task A_narrow_phone_shows_where_each_member_is_and_why_one_failed()
    {
        await using var window = await browser.OpenAsync(server.Url, isPhone: true);
        await window.Page.SetViewportSizeAsync(360, 740);
        await window.GoAsync("/runs/thousand");
        var members = window.Page.GetByRole(AriaRole.Table, new PageGetByRoleOptions { Name = "Members" });
        await Expect(members.GetByText("completed", new LocatorGetByTextOptions { Exact = true }).Filter(new LocatorFilterOptions { Visible = true }).First).ToBeVisibleAsync();

        await window.Button("1 failed").ClickAsync();

        var why = members.GetByText("failed: The loss is not a number.");
        await Expect(why).ToBeVisibleAsync();
        Assert.True(await why.EvaluateAsync<bool>("word => word.scrollHeight <= word.clientHeight && word.scrollWidth <= word.clientWidth"));
        Assert.Empty(window.Failures);
    }

    [Fact]
    public async Task Members_that_differ_are_told_by_their_settings_and_measured_on_rows_that_they_did_not_see()
    {
        await using var window = await browser.OpenAsync(server.Url);
        await window.GoAsync("/runs/varied");
        var table = window.Page.GetByRole(AriaRole.Table, new PageGetByRoleOptions { Name = "Members" });

        await Expect(table.Locator(".row:not(.headings) .settings-cell")).ToHaveTextAsync(["hidden=[16] learningRate=0.2", "hidden=[24,8] learningRate=0.1", "hidden=[16] learningRate=0.2", "hidden=[24,8] learningRate=0.1"]);
        await table.GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "1", Exact = true }).ClickAsync();
        await Expect(window.Page.Locator(".key .picked").First).ToHaveTextAsync("member 1 (hidden=[24,8] learningRate=0.1)");
        await Expect(window.Page.GetByText("training rows, answered by members that did not see them")).ToBeVisibleAsync();
        Assert.Empty(window.Failures);

        await window.GoAsync("/runs/small");
        await Expect(table.Locator(".settings-cell").First).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Members_that_stopped_at_different_steps_are_told_of_each_at_its_own_end()
    {
        await using var window = await browser.OpenAsync(server.Url);
        await window.GoAsync("/runs/students");

        // Losses of the last lines: 0, -1.125, -2.25 and -5.
        await Expect(window.Page.GetByText("mean -2.094, -5.000 to 0.0000 each at its last step, up to 200")).ToBeVisibleAsync();
        await Expect(window.Button("log scale")).ToBeHiddenAsync();
        await Expect(window.Heading("Ensemble as it trains")).ToBeHiddenAsync();
        await window.Link("prices").ClickAsync();
        await Expect(window.Heading("prices")).ToBeVisibleAsync();
        Assert.Empty(window.Failures);
    }

    [Theory]
    [InlineData(0.0007, 5e-5, 7)]
    [InlineData(2e-8, 2.5e-9, 5)]
    [InlineData(3e6, 5e5, 9)]
    [InlineData(0, 0.25, 6)]
    [InlineData(-1.5, 0.05, 6)]
    public async Task No_two_ticks_of_an_axis_have_the_same_number(double first, double distance, int ticks)
    {
        await using var window = await browser.OpenAsync(server.Url);
        await window.GoAsync("/");

        var texts = await window.Page.EvaluateAsync<string[]>("""
            async ([first, distance, ticks]) => {
              const { tick } = await import('/page/format.js');
              return Array.from({ length: ticks }, (_, i) => tick(first + i * distance, distance));
            }
            """, new[] { first, distance, ticks });

        Assert.Equal(Enumerable.Range(0, ticks).Select(i => first + (i * distance)), texts.Select(text => double.Parse(text, CultureInfo.InvariantCulture)), (x, y) => Math.Abs(x - y) < distance / 5);
        Assert.Equal(ticks, texts.Distinct().Count());
        Assert.All(texts, text => Assert.InRange(text.Length, 1, 7));
    }

    [Fact]
    public async Task A_connection_that_broke_is_made_again_and_shows_what_happened_meanwhile()
    {
        var first = await server.StartAsync(new HttpSettings());
        var url = first.Url;
        await using var window = await browser.OpenAsync(url);
        await window.GoAsync("/");
        await Expect(window.Page.GetByText("small", new PageGetByTextOptions { Exact = true })).ToBeVisibleAsync();

        await first.DisposeAsync();
        await Expect(window.Page.GetByText("Connection lost. Trying again …")).ToBeVisibleAsync();
        await ThousandMembers.WriteAsync(server.RunsFolder, "meanwhile");
        await using var second = await server.StartAsync(new HttpSettings { Url = url });

        await Expect(window.Page.GetByText("meanwhile", new PageGetByTextOptions { Exact = true })).ToBeVisibleAsync();
        await Expect(window.Page.GetByText("Connection lost. Trying again …")).ToBeHiddenAsync();
        Directory.Delete(Path.Combine(server.RunsFolder, "meanwhile"), recursive: true);
        await Expect(window.Page.GetByText("meanwhile", new PageGetByTextOptions { Exact = true })).ToBeHiddenAsync();
    }

    [Fact]
    public async Task A_connection_on_which_nothing_is_said_any_more_is_made_again()
    {
        await using var silent = new SilentServer("event: all\ndata: {\"changed\":[],\"gone\":[]}\n\n");
        await using var window = await browser.OpenAsync(server.Url);
        await window.Page.Clock.InstallAsync(new ClockInstallOptions { TimeDate = DateTime.UnixEpoch });
        await window.Page.Clock.PauseAtAsync(DateTime.UnixEpoch.AddSeconds(1));
        await window.Page.RouteAsync("**/api/live", route => route.Request.Method == "GET" ? route.ContinueAsync(new RouteContinueOptions { Url = silent.Url }) : route.ContinueAsync());
        await window.GoAsync("/");
        await Expect(window.Page.GetByText("There are no runs yet.")).ToBeVisibleAsync();

        await window.Page.Clock.FastForwardAsync(44_000);
        await Expect(Lost()).ToBeHiddenAsync();
        Assert.Equal(1, silent.Connections);
        await window.Page.Clock.FastForwardAsync(6_000);

        await Expect(Lost()).ToBeVisibleAsync();
        // What the page asks meanwhile takes no time of its clock.
        while (silent.Connections == 1)
        {
            await window.Page.Clock.FastForwardAsync(500);
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        await Expect(Lost()).ToBeHiddenAsync();
        Assert.Empty(window.Failures);

        ILocator Lost() => window.Page.GetByText("Connection lost. Trying again …");
    }

    [Fact]
    public async Task A_window_that_was_offline_shows_what_one_shows_that_was_not()
    {
        server.Released.Reset();
        var run = await server.SubmitAsync($$"""
            { "name": "offline", "seed": 3, "members": 4, "data": { "dataset": "digits" }, "model": {{PageServer.HeldModel}}, "training": { "epochs": 200 },
              "snapshots": { "perMember": 3 }, "checkpoints": { "everySeconds": 1 }, "logging": { "everySteps": 25 } }
            """);
        await using var window = await browser.OpenAsync(server.Url);
        await window.GoAsync("/runs/offline");
        await Expect(window.Page.GetByRole(AriaRole.Listitem).Filter(new LocatorFilterOptions { HasText = "Member 0 started on" })).ToBeVisibleAsync();

        // Lines of a member that ended meanwhile come by no delta: they are asked for.
        await window.SetOfflineAsync(true);
        await Expect(window.Page.GetByText("Connection lost. Trying again …")).ToBeVisibleAsync();
        server.Released.Set();
        await server.WhenAsync(run, status => status.Members.Any(member => member.State == MemberState.Completed));
        await window.Page.RunAndWaitForResponseAsync(() => window.SetOfflineAsync(false), response => response.Url.Contains("/metrics?", StringComparison.Ordinal) && response.Ok);
        await Expect(window.Page.GetByText("Connection lost. Trying again …")).ToBeHiddenAsync();

        await window.SetOfflineAsync(true);
        await server.WhenAsync(run, status => status.HasEnded);
        await window.SetOfflineAsync(false);
        await using var other = await browser.OpenAsync(server.Url);
        await other.GoAsync("/runs/offline");
        var otherPictures = await PicturesAsync(other);
        // The first window has scores from before the end, too: until those of the end come.
        await Expect(Growth(window)).ToHaveAttributeAsync("aria-label", (await Growth(other).GetAttributeAsync("aria-label"))!);
        var pictures = await PicturesAsync(window);
        Assert.Equal(otherPictures, pictures);
        Assert.Equal(await other.Page.Locator("main").InnerTextAsync(), await window.Page.Locator("main").InnerTextAsync());
        Assert.Empty(window.Failures);

        static ILocator Growth(Window window) => window.Page.Locator("[aria-label*='of 4 members at step']");

        // What the charts look like once the run is over and scored.
        static async Task<string[]> PicturesAsync(Window window)
        {
            await Expect(window.Page.Locator(".title .state")).ToHaveTextAsync("completed");
            await Expect(window.Page.GetByRole(AriaRole.Listitem).Filter(new LocatorFilterOptions { HasText = "The run completed" })).ToBeVisibleAsync();
            await Expect(window.Page.GetByRole(AriaRole.Img, new PageGetByRoleOptions { NameRegex = SizeOfFour() })).ToBeVisibleAsync();
            await window.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
            await window.Page.EvaluateAsync("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
            return await window.Page.EvaluateAsync<string[]>("[...document.querySelectorAll('.plotted canvas')].map(canvas => canvas.toDataURL())");
        }
    }

    [Fact]
    public async Task A_drawn_digit_is_answered_with_bars_of_its_classes()
    {
        await using var window = await browser.OpenAsync(server.Url);
        await window.GoAsync("/runs/small/predict");
        var box = await window.Page.Locator("canvas").BoundingBoxAsync();
        await window.Page.Mouse.MoveAsync(box!.X + (box.Width / 2), box.Y + (box.Height * 0.15f));
        await window.Page.Mouse.DownAsync();
        await window.Page.Mouse.MoveAsync(box.X + (box.Width / 2), box.Y + (box.Height * 0.85f), new MouseMoveOptions { Steps = 8 });
        await window.Page.Mouse.UpAsync();

        await Expect(window.Page.Locator(".answer")).ToHaveTextAsync(OneDigit());
        await Expect(window.Page.Locator(".bars li")).ToHaveCountAsync(10);
        await Expect(window.Page.GetByText("Mutual information")).ToBeVisibleAsync();
        Assert.Empty(window.Failures);
    }

    [Fact]
    public async Task A_row_typed_into_a_form_is_answered_with_a_density()
    {
        await using var window = await browser.OpenAsync(server.Url);
        await window.GoAsync("/runs/prices/predict");
        await window.Page.GetByLabel("size").FillAsync("20.5");
        await window.Page.GetByLabel("kind").SelectOptionAsync("red");
        await window.Button("Predict").ClickAsync();
        await Expect(window.Page.Locator(".answer")).ToHaveTextAsync(MeanAndDeviation());
        await Expect(window.Page.GetByRole(AriaRole.Img, new PageGetByRoleOptions { NameRegex = DensityOfPrice() })).ToBeVisibleAsync();

        await window.Page.GetByLabel("size").FillAsync("large");
        await window.Button("Predict").ClickAsync();
        await Expect(window.Page.GetByRole(AriaRole.Alert).Filter(new LocatorFilterOptions { HasText = "size" })).ToBeVisibleAsync();
        Assert.Empty(window.Failures);
    }

    [Fact]
    public async Task The_drawn_density_is_the_mixture_of_what_the_members_say()
    {
        await using var window = await browser.OpenAsync(server.Url);
        await window.GoAsync("/runs/prices/predict");
        await window.Page.GetByLabel("size").FillAsync("50");
        var response = await window.Page.RunAndWaitForResponseAsync(() => window.Button("Predict").ClickAsync(), response => response.Url.EndsWith("/infer", StringComparison.Ordinal));
        var outputs = (await response.JsonAsync())!.Value.GetProperty("outputs").EnumerateArray()
            .ToDictionary(output => output.GetProperty("name").GetString()!, output => output.GetProperty("data").EnumerateArray().Select(value => value.GetDouble()).ToArray());
        var curve = (await window.Page.Locator(".density .curve").GetAttributeAsync("points"))!.Split(' ')
            .Select(point => point.Split(',').Select(text => double.Parse(text, CultureInfo.InvariantCulture)).ToArray()).ToArray();
        // The interval is drawn along the same axis, and said exactly.
        var interval = window.Page.Locator(".density .interval");
        var (left, right, bottom) = (await NumberAsync("x1"), await NumberAsync("x2"), await NumberAsync("y1"));
        var (lower, upper) = (outputs["lower"][0], outputs["upper"][0]);
        var drawn = curve.Select(point => (X: lower + ((point[0] - left) * (upper - lower) / (right - left)), Y: bottom - point[1])).ToArray();

        double area = 0, first = 0, second = 0;
        foreach (var (one, next) in drawn.Zip(drawn.Skip(1)))
        {
            var (weight, x) = ((next.X - one.X) * (one.Y + next.Y) / 2, (one.X + next.X) / 2);
            (area, first, second) = (area + weight, first + (weight * x), second + (weight * x * x));
        }

        var deviation = outputs["standard_deviation"][0];
        Assert.Equal(outputs["mean"][0], first / area, deviation / 100);
        Assert.Equal(deviation, Math.Sqrt((second / area) - (first / area * first / area)), deviation / 50);
        var most = drawn.Max(point => Density(point.X)) / drawn.Max(point => point.Y);
        foreach (var (x, y) in drawn) Assert.Equal(Density(x) / most, y, 3.0);
        Assert.True(outputs["member_standard_deviation"].Max() > 1.02 * outputs["member_standard_deviation"].Min());

        async Task<double> NumberAsync(string attribute) => double.Parse((await interval.GetAttributeAsync(attribute))!, CultureInfo.InvariantCulture);

        double Density(double x) => Enumerable.Range(0, outputs["member_weight"].Length).Sum(i =>
            outputs["member_weight"][i] / outputs["member_standard_deviation"][i] * Math.Exp(-0.5 * Math.Pow((x - outputs["member_mean"][i]) / outputs["member_standard_deviation"][i], 2)));
    }

    [Theory]
    [InlineData(ColorScheme.Light, false)]
    [InlineData(ColorScheme.Light, true)]
    [InlineData(ColorScheme.Dark, false)]
    [InlineData(ColorScheme.Dark, true)]
    public async Task No_answer_and_no_error_shuts_anybody_out(ColorScheme scheme, bool isPhone)
    {
        await using var window = await browser.OpenAsync(server.Url, scheme, isPhone);
        await window.GoAsync("/runs/small/predict");
        await window.Button("Predict").ClickAsync();
        await Expect(window.Page.Locator(".bars li")).ToHaveCountAsync(10);
        await window.AssertNoneShutOutAsync();

        await window.GoAsync("/runs/prices/predict");
        await window.Page.GetByLabel("size").FillAsync("20.5");
        await window.Button("Predict").ClickAsync();
        await Expect(window.Page.GetByRole(AriaRole.Img, new PageGetByRoleOptions { NameRegex = DensityOfPrice() })).ToBeVisibleAsync();
        await window.AssertNoneShutOutAsync();

        await window.Page.GetByLabel("size").FillAsync("large");
        await window.Button("Predict").ClickAsync();
        await Expect(window.Page.GetByRole(AriaRole.Alert).Filter(new LocatorFilterOptions { HasText = "size" })).ToBeVisibleAsync();
        await window.AssertNoneShutOutAsync();
        Assert.Empty(window.Failures);
    }

    [Theory]
    [CombinatorialViews]
    public async Task No_view_shuts_anybody_out(string view, string shown, ColorScheme scheme, bool isPhone)
    {
        await using var window = await browser.OpenAsync(view == "/login" ? server.KeyedUrl : server.Url, scheme, isPhone);
        await window.GoAsync(view);
        await Expect(window.Page.Locator("main")).ToContainTextAsync(shown);

        await window.AssertNoneShutOutAsync();
        Assert.Empty(window.Failures);
        // Nothing hangs out of the window.
        Assert.True(await window.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= document.documentElement.clientWidth"));
    }

    [GeneratedRegex("Loss of batches.*step")]
    private static partial Regex LossWithStep();

    [GeneratedRegex("with 2 members")]
    private static partial Regex SizeOfTwo();

    [GeneratedRegex("with 4 members")]
    private static partial Regex SizeOfFour();

    [GeneratedRegex("^[0-9]$")]
    private static partial Regex OneDigit();

    [GeneratedRegex(@"^[0-9.]+ ± [0-9.]+$")]
    private static partial Regex MeanAndDeviation();

    [GeneratedRegex("Predictive density of price")]
    private static partial Regex DensityOfPrice();

    /// <summary>Every view, light and dark, large and small.</summary>
    private sealed class CombinatorialViewsAttribute : Xunit.v3.DataAttribute
    {
        private static readonly (string View, string Shown)[] s_views =
        [
            ("/", "completed"), ("/runs/small", "The run completed"), ("/runs/varied", "hidden=[24,8]"), ("/runs/thousand", "of the members"), ("/runs/small/predict", "Draw"),
            ("/runs/prices/predict", "size"), ("/start", "Further keys"), ("/login", "An inference key"), ("/nowhere", "leads nowhere"),
        ];

        public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(System.Reflection.MethodInfo testMethod, Xunit.Sdk.DisposalTracker disposalTracker) => new(
        [
            .. from view in s_views
               from scheme in new[] { ColorScheme.Light, ColorScheme.Dark }
               from isPhone in new[] { false, true }
               select new TheoryDataRow<string, string, ColorScheme, bool>(view.View, view.Shown, scheme, isPhone),
        ]);

        public override bool SupportsDiscoveryEnumeration() => true;
    }
}
