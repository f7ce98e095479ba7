using DistributedEnsemble.Members;
using DistributedEnsemble.Runs;
using Orleans.Runtime.Placement;

namespace DistributedEnsemble.Grains.Tests.Members;

public sealed class MemberGrainTests
{
    [Fact]
    public async Task A_member_that_is_sent_to_another_silo_goes_there_without_another_call()
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos: 3);
        var run = await cluster.SubmitAsync(Specs.Small.Replace("\"members\": 6", "\"members\": 1"));
        await cluster.WhenAsync(run, status => status.HasEnded);
        var member = cluster.Member(run, 0);
        var from = Assert.Single(await cluster.SilosOfAsync(member));

        foreach (var to in cluster.Silos.Where(silo => !silo.Equals(from)))
        {
            RequestContext.Set(IPlacementDirector.PlacementHintKey, to);
            var assignment = new Assignment(new MemberAttempt(0, 99), []) { Silo = to.ToParsableString() };
            await Assert.ThrowsAsync<MemberElsewhereException>(() => member.TrainAsync(assignment));

            while (await cluster.SilosOfAsync(member) is not [var only] || !only.Equals(to)) await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
