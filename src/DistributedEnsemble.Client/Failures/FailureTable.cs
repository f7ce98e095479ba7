using DistributedEnsemble.Messages;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Client.Failures;

/// <summary>What people read, and what the process answers to its caller.</summary>
internal sealed record Failure(string Line, int ExitCode);

/// <summary>Which exceptions carry a message for people, and which exit code each has.</summary>
internal sealed class FailureTable
{
    public const string TraceVariable = "ENSEMBLE_TRACE";

    private const string TooLittleMemory = "There is too little memory for this: let the process have more, or take fewer rows, members or lanes.";

    private readonly Dictionary<Type, int> _known = new()
    {
        [typeof(UsageException)] = ExitCode.Usage,
        [typeof(SiloUnavailableException)] = ExitCode.Unreachable,
        [typeof(ServerUnreachableException)] = ExitCode.Unreachable,
        [typeof(IOException)] = ExitCode.Failed,
        [typeof(UnauthorizedAccessException)] = ExitCode.Failed,
    };

    /// <summary>Adds a type whose message is one line for people; types derived from it have the same code.</summary>
    public FailureTable With<TException>(int exitCode) where TException : Exception
    {
        _known[typeof(TException)] = exitCode;
        return this;
    }

    public Failure Describe(Exception exception)
    {
        // Tasks wrap what they were told; the one cause inside is what happened.
        while (exception is AggregateException { InnerExceptions: [var only] }) exception = only;
        if (exception is RunRejectedException refused) return new Failure(OneLine.Of(Remedies.Line(refused)), ExitCode.Usage);
        if (exception is OutOfMemoryException || exception.Message.Contains("DefaultCPUAllocator: ", StringComparison.Ordinal)) return new Failure(TooLittleMemory, ExitCode.Failed);
        for (var type = exception.GetType(); type is not null; type = type.BaseType)
        {
            if (_known.TryGetValue(type, out var exitCode)) return new Failure(OneLine.Of(exception.Message), exitCode);
        }
        return new Failure(
            $"Unexpected {exception.GetType().Name}: {OneLine.Of(exception.Message)} ({TraceVariable}=1 shows where.)", ExitCode.Failed);
    }
}
