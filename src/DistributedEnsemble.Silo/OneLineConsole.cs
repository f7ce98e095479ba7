using DistributedEnsemble.Messages;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace DistributedEnsemble.Silo;

/// <summary>
/// A silo's log: each entry is one line, whatever names, paths and messages of others are in it. A terminal that shows it obeys
/// none of them, and nobody writes a second entry into the first.
/// </summary>
internal sealed class OneLineConsole() : ConsoleFormatter(FormatterName)
{
    private const string FormatterName = "one-line";

    public static void AddTo(ILoggingBuilder logs) =>
        logs.AddConsole(console => console.FormatterName = FormatterName).AddConsoleFormatter<OneLineConsole, ConsoleFormatterOptions>();

    public override void Write<TState>(in LogEntry<TState> entry, IExternalScopeProvider? scopes, TextWriter writer) => writer.WriteLine(OneLine.Of(
        $"{Level(entry.LogLevel)}: {entry.Category}[{entry.EventId.Id}] {entry.Formatter(entry.State, entry.Exception)} {entry.Exception}").TrimEnd());

    private static string Level(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        LogLevel.Critical => "crit",
        LogLevel.None => "none",
        var other => other.ToString(),
    };
}
