using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Scheduling;

namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>The machines that a history tries: those of the product, unless a test puts something around them.</summary>
internal class Protocol
{
    public virtual (CoordinatorState State, IReadOnlyList<RunEffect> Effects) On(CoordinatorState state, RunEvent happened, TimeSpan now) =>
        RunMachine.On(state, happened, now);

    public virtual (PlacementState State, IReadOnlyList<PlacementEffect> Effects) On(PlacementState state, PlacementEvent happened, TimeSpan now) =>
        PlacementMachine.On(state, happened, now);
}
