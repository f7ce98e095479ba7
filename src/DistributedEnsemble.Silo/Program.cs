using System.CommandLine;
using DistributedEnsemble.Serving.Processes;
using DistributedEnsemble.Silo;

// A silo trains and serves, whether anybody reads what it says or not.
StandardStreams.TakeOver(needsOutput: false);
var parsed = SiloCommand.Create().Parse(args);
if (parsed.Errors.Count > 0)
{
    Console.Error.WriteLine(UsageError.Of(parsed));
    return ExitCode.Usage;
}

// Signals are the host's own: members take checkpoints first, however long that is.
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
