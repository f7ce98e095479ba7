using Deque.AxeCore.Playwright;

namespace DistributedEnsemble.Browser.Tests;

/// <summary>Whether a view shuts anybody out who sees, hears or points otherwise.</summary>
internal static class Axe
{
    public static async Task AssertNoneShutOutAsync(this Window window)
    {
        var result = await window.Page.RunAxe();
        Assert.True(result.Violations.Length == 0, string.Join('\n', result.Violations.Select(rule => $"{rule.Id}: {rule.Help}\n  {string.Join("\n  ", rule.Nodes.Select(node => node.Html))}")));
    }
}
