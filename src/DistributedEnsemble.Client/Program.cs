using DistributedEnsemble.Client;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Signals;
using DistributedEnsemble.Serving.Processes;

StandardStreams.TakeOver(needsOutput: true);
return await new Driver(Wiring.Backend, Consoles.OfThisProcess(), Wiring.Failures, TimeProvider.System, ProcessSignals.Listen).RunAsync(args);
