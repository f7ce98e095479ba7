using System.CommandLine;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Serving.Processes;
using DistributedEnsemble.Silo;

// A silo trains and serves, whether anybody reads what it says or not.
StandardStreams.TakeOver(needsOutput: false);
var parsed = SiloCommand.Create().Parse(args);
if (parsed.Errors is [var first, ..])
{
    Console.Error.WriteLine($"{OneLine.Of(first.Message)} `ensemble-silo --help` shows what a silo takes.");
    return ExitCode.Usage;
}

// Signals are the host's own: members take checkpoints first, however long that is.
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
