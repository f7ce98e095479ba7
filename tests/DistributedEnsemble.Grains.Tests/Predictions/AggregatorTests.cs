using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Tasks;
using Orleans.Configuration;

namespace DistributedEnsemble.Grains.Tests.Predictions;

public sealed class AggregatorTests
{
    [Fact]
    public async Task The_ensemble_answers_with_the_mean_of_its_members_in_constituent_order()
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos: 2, lanes: 2);
        var run = await cluster.SubmitAsync(Specs.Small);
        var status = await cluster.WhenAsync(run, s => s.HasEnded);
        var plan = Specs.Plan(Specs.Small);
        float[] raw = [.. plan.Dataset.Test.InputsOf(0, 5).ToArray().Select(pixel => pixel * 16)];

        var answer = await cluster.Aggregator(run).PredictAsync(
            new PredictionRequest([.. raw]), TestContext.Current.CancellationToken);

        var mean = new AnswerMean();
        foreach (var file in status.Snapshots.Where(s => s.Step == plan.Of(0).Steps).OrderBy(s => s.Member))
            mean.Add(Specs.Answers(plan, cluster.Folder(run), file, rows: 5));

        Assert.Equal(plan.Task.Predict(mean.ToArray())[0].Numbers, answer["probabilities"].Numbers);
        Assert.Equal(6, answer.Constituents);
        Assert.Equal(5, answer["label"].Texts.Length);
    }

    [Fact]
    public async Task Evaluation_on_the_cluster_equals_evaluation_of_the_folder()
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos: 2, lanes: 2);
        var run = await cluster.SubmitAsync(Specs.Small);
        var status = await cluster.WhenAsync(run, s => s.HasEnded);
        var registry = new DatasetRegistry();

        ConstituentChoice?[] choices =
        [
            null, new(From: PredictionSource.Snapshots), new(Members: 2, MonteCarloSamples: 3), new(PredictionSource.Snapshots, "greedy"),
            new(PredictionSource.Snapshots, "last:1"),
        ];
        foreach (var choice in choices)
        {
            var onCluster = await cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(choice, Coverage: 0.8), TestContext.Current.CancellationToken);
            var ofFolder = RunEvaluation.Evaluate(
                cluster.Folder(run), status, choice, (spec, _) => registry.Resolve(spec.Data.Dataset).Load(new DataFolders()), new NetworkRegistry(), coverage: 0.8,
                TestContext.Current.CancellationToken);

            Assert.Equal(ofFolder.Ensemble, onCluster.Ensemble);
            Assert.Equal(ofFolder.Single, onCluster.Single);
            Assert.Equal(ofFolder.Weights, onCluster.Weights);
            Assert.Equal(ofFolder.Multiplicities, onCluster.Multiplicities);
            Assert.Equal(ofFolder.Models, onCluster.Models);
            Assert.Equal(ofFolder.Classes!.Confusion.Select(row => row.ToArray()), onCluster.Classes!.Confusion.Select(row => row.ToArray()));
            Assert.NotNull(ofFolder.Conformal);
            Assert.Equal(ofFolder.Conformal, onCluster.Conformal);
            Assert.Equal(
                (ofFolder.Uncertainty, ofFolder.Diversity, ofFolder.Calibrated),
                (onCluster.Uncertainty, onCluster.Diversity, onCluster.Calibrated));
            Directory.Delete(Path.Combine(cluster.Folder(run).Root, "validation"), recursive: true);
        }
    }

    public static TheoryData<string> Ended => [Specs.Small, Specs.Number, Specs.MixedNumber.Replace("\"epochs\"", "\"likelihood\": \"squared-error\", \"epochs\""), Specs.Stopping];

    [Theory, MemberData(nameof(Ended))]
    public async Task What_is_shown_of_all_members_while_they_train_is_in_the_end_what_evaluation_says_of_the_same_rows(string spec)
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos: 1, lanes: 2);
        var run = await cluster.SubmitAsync(spec);
        await cluster.WhenAsync(run, s => s.HasEnded);

        var scores = (await cluster.Aggregator(run).ScoreAsync(TestContext.Current.CancellationToken))!;
        var report = await cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(), TestContext.Current.CancellationToken);

        Assert.Equal(report.Validation!.Rows, scores.Rows);
        Assert.Equal(report.Members, scores.Sizes[^1].Members);
        var (shown, measured) = (scores.Sizes[^1].Measures.All, report.Validation.Measures.All);
        Assert.Equal(measured.Select(measure => measure.Name), shown.Select(measure => measure.Name));
        Assert.All(measured.Zip(shown), pair => Assert.Equal(pair.First.Value ?? double.NaN, pair.Second.Value ?? double.NaN, 1e-9));
    }

    [Fact]
    public async Task Sizes_of_members_that_do_not_see_all_rows_are_measured_on_the_same_rows_by_those_that_did_not()
    {
        const string Spec = """
            { "name": "folded", "seed": 3, "members": 4, "data": { "dataset": "digits", "folds": 2 }, "model": { "kind": "mlp", "hidden": [8] }, "training": { "epochs": 2 } }
            """;
        await using var cluster = await EnsembleCluster.StartAsync(silos: 1, lanes: 2);
        var run = await cluster.SubmitAsync(Spec);
        await cluster.WhenAsync(run, s => s.HasEnded);

        var scores = (await cluster.Aggregator(run).ScoreAsync(TestContext.Current.CancellationToken))!;

        // Members 0 and 2 did not see the first fold; 1 and 3 did.
        Assert.True(scores.OutOfFold);
        Assert.Equal(Specs.Plan(Spec).Rows.UnseenBy(0).Cast<bool>().Count(isUnseen => isUnseen), scores.Rows);
        Assert.Equal([1, 2, 3, 4], scores.Sizes.Select(size => size.Members));
        Assert.Equal(scores.Sizes[0].Measures, scores.Sizes[1].Measures);
        Assert.NotEqual(scores.Sizes[1].Measures, scores.Sizes[2].Measures);
        Assert.Equal(scores.Sizes[2].Measures, scores.Sizes[3].Measures);
    }

    [Fact]
    public async Task The_best_member_is_chosen_by_validation_alone()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        for (var seed = 1; ; seed++)
        {
            var spec = Specs.Small.Replace("\"name\": \"small\", \"seed\": 7", $"\"name\": \"seed-{seed}\", \"seed\": {seed}");
            var run = await cluster.SubmitAsync(spec);
            var status = await cluster.WhenAsync(run, s => s.HasEnded);
            var plan = Specs.Plan(spec);
            var (validation, test) = (LossesOn(DataPart.Validation), LossesOn(DataPart.Test));
            var best = Array.IndexOf(validation, validation.Min());

            var chosen = (await cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(), TestContext.Current.CancellationToken)).Single;

            Assert.Equal(best, chosen.BestMember);
            Assert.Equal(test[best], chosen.Best!.Nll, 1e-6);
            // Until the test rows would have chosen another one.
            if (test.Min() < test[best]) break;
            Assert.True(seed < 20, "Both parts of the data choose the same member, whatever the seed is.");

            double[] LossesOn(DataPart part) => [.. status.Snapshots.Where(file => file.Step == plan.Of(0).Steps).OrderBy(file => file.Member).Select(file =>
            {
                var samples = plan.Samples(part);
                var answers = Specs.Answers(plan, cluster.Folder(run), file, samples, (int)samples.Count);
                var width = answers.Length / samples.Targets.Length;
                return samples.Targets.Select((label, row) => -Math.Log(answers[(row * width) + (int)label])).Average();
            })];
        }

        var without = await cluster.SubmitAsync(Specs.Small.Replace("\"dataset\": \"digits\"", "\"dataset\": \"digits\", \"validationFraction\": 0"));
        await cluster.WhenAsync(without, s => s.HasEnded);

        var report = await cluster.Aggregator(without).EvaluateAsync(new EvaluationRequest(), TestContext.Current.CancellationToken);

        Assert.Null(report.Single.Best);
        Assert.Null(report.Single.BestMember);
    }

    [Fact]
    public async Task A_cache_too_small_for_the_ensemble_changes_no_answer()
    {
        await using var small = await EnsembleCluster.StartAsync(configure: options => options.Prediction.CacheBytes = 1);
        await using var large = await EnsembleCluster.StartAsync();
        var reports = new List<EvaluationReport>();
        foreach (var cluster in new[] { small, large })
        {
            var run = await cluster.SubmitAsync(Specs.Small);
            await cluster.WhenAsync(run, s => s.HasEnded);
            reports.Add(await cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(), TestContext.Current.CancellationToken));
        }

        Assert.Equal(reports[0].Ensemble, reports[1].Ensemble);
    }

    [Fact]
    public async Task An_evaluation_may_take_longer_than_other_calls()
    {
        using var gate = new ManualResetEventSlim();
        await using var cluster = await EnsembleCluster.StartAsync(
            responseTimeout: TimeSpan.FromSeconds(10),
            configure: options => options.Networks.Add("gated", (_, outputs, _) => [new Gated(gate), new Flatten(), new Dense(outputs)]));
        var run = await cluster.SubmitAsync(Specs.Small.Replace("\"hidden\": [33]", "\"kind\": \"gated\""));
        await cluster.WhenAsync(run, s => s.HasEnded);
        try
        {
            var evaluation = cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(), TestContext.Current.CancellationToken);
            await Assert.ThrowsAsync<TimeoutException>(() => cluster.Aggregator(run).PredictAsync(
                new PredictionRequest([.. new float[64]]), TestContext.Current.CancellationToken));

            gate.Set();

            Assert.Equal(6, (await evaluation).Members);
        }
        finally
        {
            gate.Set();
        }
    }

    [Fact]
    public async Task An_evaluation_that_nobody_waits_for_is_computed_no_further()
    {
        using var gate = new ManualResetEventSlim();
        var counter = new Counter();
        // The client's call ends when the aggregator's has, not before.
        await using var cluster = await EnsembleCluster.StartAsync(
            configure: options => options.Networks.Add("gated", (_, outputs, _) => [new Gated(gate, counter), new Flatten(), new Dense(outputs)]),
            configureClient: client => client.Configure<ClientMessagingOptions>(options => options.WaitForCancellationAcknowledgement = true));
        var run = await cluster.SubmitAsync(Specs.Small.Replace("\"hidden\": [33]", "\"kind\": \"gated\""));
        await cluster.WhenAsync(run, s => s.HasEnded);
        try
        {
            using var caller = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            var abandoned = cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(), caller.Token);
            await counter.Begun;
            await caller.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => abandoned);
            gate.Set();

            var whole = await CountAsync(cluster, run, counter);
            var both = counter.Count;

            // What a cancelled one had queued comes before the next one's.
            Assert.InRange(both - whole, 1, whole - 1);
        }
        finally
        {
            gate.Set();
        }
    }

    /// <summary>Batches of an evaluation that fits and measures, after another that was first in the queues.</summary>
    private static async Task<int> CountAsync(EnsembleCluster cluster, RunKey run, Counter counter)
    {
        Assert.Equal(6, (await cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(), TestContext.Current.CancellationToken)).Members);
        var before = counter.Count;
        Directory.Delete(Path.Combine(cluster.Folder(run).Root, "validation"), recursive: true);
        await cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(), TestContext.Current.CancellationToken);
        var whole = counter.Count - before;
        counter.Add(-whole);
        return whole;
    }

    /// <summary>Batches that were begun.</summary>
    private sealed class Counter
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public Task Begun => _begun.Task;

        public void Add(int count)
        {
            Interlocked.Add(ref _count, count);
            _begun.TrySetResult();
        }
    }

    /// <summary>Predicts when the gate opens.</summary>
    private sealed record Gated(ManualResetEventSlim Gate, Counter? Counter = null) : Layer
    {
        public override Function Build(NetworkBuilder builder) => (_, inputs, noise) =>
        {
            if (!noise.IsTraining)
            {
                Counter?.Add(1);
                Gate.Wait();
            }

            return inputs;
        };
    }
}
