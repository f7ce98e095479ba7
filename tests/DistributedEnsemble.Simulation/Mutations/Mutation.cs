using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Scheduling;
using DistributedEnsemble.Simulation.Worlds;

namespace DistributedEnsemble.Simulation.Mutations;

/// <summary>The machines with a fault around one of them, as someone might make it who changes the protocol.</summary>
internal sealed class Mutation(
    Func<CoordinatorState, RunEvent, TimeSpan, (CoordinatorState, IReadOnlyList<RunEffect>)> run,
    Func<PlacementState, PlacementEvent, TimeSpan, (PlacementState, IReadOnlyList<PlacementEffect>)>? placement = null) : Protocol
{
    public override (CoordinatorState State, IReadOnlyList<RunEffect> Effects) On(CoordinatorState state, RunEvent happened, TimeSpan now) =>
        run(state, happened, now);

    public override (PlacementState State, IReadOnlyList<PlacementEffect> Effects) On(PlacementState state, PlacementEvent happened, TimeSpan now) =>
        placement is null ? base.On(state, happened, now) : placement(state, happened, now);
}
