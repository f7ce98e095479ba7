using System.Reflection;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Serving.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace DistributedEnsemble.Silo.Tests;

public sealed class LogTests
{
    private const BindingFlags Any = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    [Fact]
    public void An_event_id_means_one_event()
    {
        var events = new[] { typeof(EmbeddedSilo), typeof(EnsembleTrainingOptions) }
            .SelectMany(type => type.Assembly.GetTypes())
            .SelectMany(type => type.GetMethods(Any))
            .Select(method => (method.Name, method.GetCustomAttribute<LoggerMessageAttribute>()?.EventId))
            .Where(entry => entry.EventId is not null)
            .ToList();

        Assert.NotEmpty(events);
        Assert.Empty(events.GroupBy(entry => entry.EventId).Where(same => same.Count() > 1).Select(same => string.Join(", ", same)));
    }

    [Fact]
    public void An_entry_is_one_line_that_no_terminal_obeys()
    {
        using var services = new ServiceCollection().AddLogging(OneLineConsole.AddTo).BuildServiceProvider();
        var formatter = services.GetServices<ConsoleFormatter>().OfType<OneLineConsole>().Single();
        using var written = new StringWriter();

        formatter.Write(
            new LogEntry<string>(LogLevel.Warning, "Tls", new EventId(80), "CN=\e]0;owned\a\nwarn: forged", new InvalidOperationException("a\rb"), (state, _) => state),
            null, written);

        Assert.Equal($"warn: Tls[80] CN= ]0;owned warn: forged System.InvalidOperationException: a b{Environment.NewLine}", written.ToString());
    }
}
