using Microsoft.Playwright;

[assembly: Xunit.AssemblyFixture(typeof(DistributedEnsemble.Browser.Tests.Browser))]

namespace DistributedEnsemble.Browser.Tests;

/// <summary>The system's own Chromium, without a window; none where it is not installed.</summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string[] s_places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (s_places.FirstOrDefault(File.Exists) is not { } program) return;
        Assertions.SetDefaultExpectTimeout((float)Until.Patience.TotalMilliseconds);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = program, Args = ["--no-sandbox", "--disable-background-networking", "--disable-dev-shm-usage"],
        });
    }

    /// <summary>A window with cookies of its own. What its scripts fail at is in <see cref="Window.Failures"/>.</summary>
    internal async Task<Window> OpenAsync(string url, ColorScheme scheme = ColorScheme.Light, bool isPhone = false)
    {
        Assert.SkipWhen(_browser is null, "chromium is not installed");
        var context = await _browser!.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = url, ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce,
            ViewportSize = isPhone ? new ViewportSize { Width = 390, Height = 844 } : new ViewportSize { Width = 1280, Height = 900 },
        });
        context.SetDefaultTimeout((float)Until.Patience.TotalMilliseconds);
        return new Window(context, await context.NewPageAsync());
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}

/// <summary>One window of a browser.</summary>
internal sealed class Window : IAsyncDisposable
{
    private readonly IBrowserContext _context;

    public Window(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.PageError += (_, error) => Failures.Add(error);
        page.Console += (_, message) =>
        {
            // What the policy forbids is said here, and nowhere else.
            if (message.Type == "error" && message.Text.Contains("Content Security Policy", StringComparison.Ordinal)) Failures.Add(message.Text);
        };
    }

    public IPage Page { get; }

    public List<string> Failures { get; } = [];

    public Task<IReadOnlyList<BrowserContextCookiesResult>> CookiesAsync() => _context.CookiesAsync();

    public Task SetOfflineAsync(bool isOffline) => _context.SetOfflineAsync(isOffline);

    public Task GoAsync(string view) => Page.GotoAsync($"/#{view}");

    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = name, Exact = true });

    public ILocator Link(string name) => Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = name, Exact = true });

    public ILocator Heading(string name) => Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = name, Exact = true });

    public ValueTask DisposeAsync() => _context.DisposeAsync();
}
