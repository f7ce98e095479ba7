using DistributedEnsemble.Simulation.Mutations;
using DistributedEnsemble.Simulation.Worlds;

namespace DistributedEnsemble.Simulation;

/// <summary>The simulation is worth what it finds.</summary>
[Collection("Histories")]
public sealed class MutationTests
{
    private const int Histories = 10_000;

    public static TheoryData<string> Faults => new(Faulty.All.Keys);

    [Theory, MemberData(nameof(Faults))]
    public void A_fault_in_the_machines_is_found(string fault)
    {
        for (var seed = 1ul; seed <= Histories; seed++)
        {
            try
            {
                History.Live(seed, Faulty.All[fault]);
            }
            catch (HistoryFailedException found)
            {
                TestContext.Current.TestOutputHelper?.WriteLine($"{fault}: history {seed}: {found.Message}");
                return;
            }
        }

        Assert.Fail($"{Histories} histories in which {fault} end well.");
    }
}
