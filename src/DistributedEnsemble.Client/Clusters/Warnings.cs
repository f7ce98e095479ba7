using DistributedEnsemble.Messages;
using DistributedEnsemble.Serving;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Client.Clusters;

/// <summary>What the embedded silo warns of, for whoever sits at the terminal: a line each. Orleans' own warnings are for its developers.</summary>
internal sealed class Warnings(TextWriter output) : ILoggerProvider
{
    private const string Ours = "DistributedEnsemble.";

    public ILogger CreateLogger(string categoryName) => categoryName == HttpServer.AuditCategory
        ? new Lines(output, LogLevel.Information)
        : new Lines(output, categoryName.StartsWith(Ours, StringComparison.Ordinal) ? LogLevel.Warning : LogLevel.None);

    public void Dispose()
    {
    }

    private sealed class Lines(TextWriter output, LogLevel least) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= least && logLevel is LogLevel.Information or LogLevel.Warning or LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            var message = OneLine.Of(formatter(state, null));
            if (logLevel == LogLevel.Error) output.WriteLine($"Error: {message} {exception?.GetType().Name}: {OneLine.Of(exception?.Message)}");
            else if (logLevel == LogLevel.Information) output.WriteLine(message);
            // A warning that comes with an exception is tried again, and told where it cannot be mended.
            else if (exception is null) output.WriteLine($"Warning: {message}");
        }
    }
}
