using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Grains.Tests.Coordination;

public sealed class DivergenceTests
{
    private static readonly NetworkRegistry Networks = WithGate(new NetworkRegistry());

    [Fact]
    public async Task A_member_that_diverges_fails_alone_and_the_run_is_evaluated_without_it()
    {
        var (spec, lost) = OneDiverges();
        await using var cluster = await EnsembleCluster.StartAsync(configure: options => WithGate(options.Networks));

        var run = await cluster.SubmitAsync(spec);
        var status = await cluster.WhenAsync(run, s => s.HasEnded);

        Assert.Equal(RunState.Degraded, status.State);
        var reason = status.Members[lost].Reason!;
        Assert.Matches($@"^the loss of member {lost} is NaN at step 1: most likely the learning rate, 0.05 there, is too high$", reason);
        Assert.Equal($"1 of 4 members failed: {reason}", status.Reason);
        Assert.Equal(Enumerable.Range(0, 4).Select(i => i == lost ? MemberState.Failed : MemberState.Completed), status.Members.Select(m => m.State));
        var report = await cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(), TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(0, 4).Where(i => i != lost), report.Weights.Select(file => file.Member));
        Assert.InRange(report.Ensemble.Nll, 0, 10);
    }

    /// <summary>The first seed with which exactly one of four members starts with an open gate, and the others with a closed one.</summary>
    private static (string Spec, int Lost) OneDiverges()
    {
        for (var seed = 1; ; seed++)
        {
            var spec = Specs.Small.Replace("\"members\": 6", "\"members\": 4").Replace("\"seed\": 7", $"\"seed\": {seed}")
                .Replace("\"hidden\": [33]", "\"kind\": \"gated\"").Replace(", \"inputRate\": 0.1", "").Replace("\"rate\": 0.3", "\"rate\": 0");
            var document = SpecDocument.Parse(spec);
            var source = new DatasetRegistry().Resolve(document.Dataset);
            var plan = new TrainingPlan(document.Resolve(source.Defaults, Networks.Kinds), source.Load(new DataFolders()), Networks);
            var gates = Enumerable.Range(0, 4).Select(member =>
            {
                using var weights = Weights.Initialize(plan.Of(0).Network.Layout, plan.Random, member);
                return weights.Values(plan.Of(0).Network.Layout.Tensors[0])[0];
            }).ToList();
            if (gates.Count(gate => gate > 0.2) == 1 && gates.Count(gate => gate < 0) == 3) return (spec, gates.FindIndex(gate => gate > 0.2));
        }
    }

    private static NetworkRegistry WithGate(NetworkRegistry networks)
    {
        networks.Add("gated", (_, classes, _) => [new Flatten(), new Gate(), new Dense(classes)]);
        return networks;
    }

    /// <summary>Multiplies its inputs by the exponential of one weight, which overflows for those who start with much of it.</summary>
    private sealed record Gate : Layer
    {
        public override Function Build(NetworkBuilder builder)
        {
            var gate = builder.Parameter("gate", [1], Initialization.FanIn(1), isDecayed: false);
            return (weights, inputs, _) => inputs * (weights[gate] * 1000).exp();
        }
    }
}
