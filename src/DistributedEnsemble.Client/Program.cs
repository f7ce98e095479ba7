using DistributedEnsemble.Client;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Signals;

return await new Driver(Wiring.Backend, Consoles.OfThisProcess(), new FailureTable(), TimeProvider.System, Interruption.OfThisProcess).RunAsync(args);
