using System.Text.Json.Nodes;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Torch;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training.Tests.Networks;

/// <summary>Networks of one's own: TorchSharp modules.</summary>
public sealed partial class ModuleTests
{
    private const string Mine = """
        {
          "seed": 5, "members": 2, "data": { "dataset": "digits" }, "model": { "kind": "mine" },
          "training": { "epochs": 2, "batchSize": 100, "schedule": { "kind": "cosine", "learningRate": 0.05 } }
        }
        """;

    private static Module<Tensor, Tensor> Mlp(IReadOnlyList<long> shape, int outputs, JsonObject settings) =>
        Sequential(("flat", Flatten()), ("hidden", Linear(64, 20)), ("relu", ReLU()), ("last", Linear(20, outputs)));

    [Fact]
    public void A_module_that_is_an_mlp_follows_the_mlps_losses()
    {
        var module = PlanOf(Mlp);
        var mlp = Plans.Of(Mine.Replace("\"kind\": \"mine\"", "\"kind\": \"mlp\", \"hidden\": [20]"), ("logging.everySteps", "1"));
        using var mine = new MemberTraining(module, 1);
        using var start = mine.CopyWeights();
        using var same = new MemberCheckpoint(0, new Weights(mlp.Of(0).Network.Layout), []);
        start.Parameters.Span.CopyTo(same.Weights.Parameters.Span);
        using var theirs = new MemberTraining(mlp, 1, same);

        while (mine.Step < module.Of(0).Steps) Assert.Equal(theirs.Advance()!.Loss, mine.Advance()!.Loss, 1e-5f);
    }

    [Fact]
    public void Two_members_differ_and_a_checkpoint_goes_on_exactly()
    {
        var plan = PlanOf(BatchNormed);
        using var training = new MemberTraining(plan, 0);
        training.TrainTo(plan, 5);
        using var checkpoint = training.CopyCheckpoint();
        using var resumed = new MemberTraining(plan, 0, checkpoint);
        using var other = new MemberTraining(plan, 1);

        var end = training.TrainTo(plan, plan.Of(0).Steps);

        Assert.Equal(end, resumed.TrainTo(plan, plan.Of(0).Steps));
        Assert.NotEqual(end, other.TrainTo(plan, plan.Of(0).Steps));
        Assert.Contains(checkpoint.Weights.Statistics.ToArray(), value => value is not (0 or 1));
    }

    /// <summary>What a pass gets is a handle of its own, and what a design keeps for itself is no pass's.</summary>
    [Fact]
    public void A_module_may_dispose_of_its_rows_and_read_a_tensor_that_all_modules_have()
    {
        Tensor? scale = null;
        var plan = PlanOf((_, outputs, _) =>
        {
            scale ??= full(64, 0.5f);
            return new Net(outputs, (net, x) =>
            {
                var scaled = x.flatten(1) * scale;
                x.Dispose();
                return net.Given(scaled);
            });
        });
        using var training = new MemberTraining(plan, 0);

        for (var step = 0; step < 40; step++) Assert.NotNull(training.Advance());
        Assert.Null(plan.Of(0).Network.Inexact);
        Assert.NotEmpty(Samples(plan, training, 2));
    }

    /// <summary>As stochastic depth does: most passes give the same numbers.</summary>
    [Fact]
    public void A_module_that_draws_to_no_effect_that_is_seen_trains_inexactly()
    {
        var plan = PlanOf((_, outputs, _) => new Net(outputs, (net, x) => net.training && rand(1).item<float>() < 0 ? net.Given(x) * 0 : net.Given(x)));

        Assert.Equal("model.kind is \"mine\": its module draws numbers of torch's one generator: no checkpoint has where that is", plan.Of(0).Network.Inexact);
    }

    /// <summary>As another run's member does at the same time: its passes wait while a module is looked at.</summary>
    [Fact]
    public async Task What_another_module_draws_is_not_a_modules_own()
    {
        var (draws, isOver) = (0, false);
        var drawing = PlanOf((_, outputs, _) => new Net(outputs, (net, x) =>
        {
            var given = net.Given(x) + rand(outputs);
            Interlocked.Increment(ref draws);
            return given;
        }), ("training.epochs", "1000000"));
        using var other = new MemberTraining(drawing, 0);
        var training = Task.Factory.StartNew(
            () =>
            {
                while (!Volatile.Read(ref isOver) && other.Advance() is not null) continue;
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        try
        {
            var plan = PlanOf((_, outputs, _) => new Net(outputs, (net, x) =>
            {
                var before = Volatile.Read(ref draws);
                SpinWait.SpinUntil(() => Volatile.Read(ref draws) > before, 10);
                return net.Given(x);
            }));

            Assert.Null(plan.Of(0).Network.Inexact);
        }
        finally
        {
            Volatile.Write(ref isOver, true);
            await training;
        }
    }

    /// <summary>The run of a host, looked at by the driver.</summary>
    [Fact]
    public void A_run_of_a_network_that_this_program_lacks_gets_one_line_that_says_who_has_it()
    {
        var spec = PlanOf(Mlp).Spec;

        Assert.Equal(
            "model.kind is \"mine\": known here are mlp, tabm, lenet, resnet. A host's own network is known to the program that registered it: ask there.",
            Assert.Throws<SpecException>(() => new NetworkRegistry().Build(spec, [1, 8, 8], 10)).Message);
    }

    [Fact]
    public void A_module_is_told_the_settings_of_the_spec()
    {
        var plan = PlanOf((_, outputs, settings) => Sequential(Flatten(), Linear(64, (int)settings["units"]!), ReLU(), Linear((int)settings["units"]!, outputs)),
            ("model.settings", """{ "units": 7 }"""));

        Assert.Equal(7 * 65 + 10 * 8, plan.Of(0).Network.Layout.ParameterCount);
        Assert.Contains("\"units\": 7", plan.Spec.ToJson(), StringComparison.Ordinal);
        Assert.Equal("""[{"layer":"moduleLayer","kind":"mine","outputs":10,"settings":{"units":7}}]""", LayerDescription.Of(plan.Of(0).Network.Layers).ToJsonString());
    }

    [Fact]
    public void The_dropout_of_a_module_has_the_masks_of_our_own()
    {
        var module = PlanOf((_, outputs, _) => Sequential(Flatten(), Linear(64, 20), ReLU(), Dropout(0.25), Linear(20, outputs)), ("prediction.monteCarloSamples", "3"));
        var mlp = Plans.Of(Mine.Replace("\"kind\": \"mine\"", "\"kind\": \"mlp\", \"hidden\": [20]"), ("logging.everySteps", "1"), ("regularization.dropout.rate", "0.25"));
        using var mine = new MemberTraining(module, 1);
        using var start = mine.CopyWeights();
        using var same = new MemberCheckpoint(0, new Weights(mlp.Of(0).Network.Layout), []);
        start.Parameters.Span.CopyTo(same.Weights.Parameters.Span);
        using var theirs = new MemberTraining(mlp, 1, same);

        Assert.Null(module.Of(0).Network.Inexact);
        while (mine.Step < module.Of(0).Steps) Assert.Equal(theirs.Advance()!.Loss, mine.Advance()!.Loss, 1e-5f);
        AssertEqualSamples(module, mine, mlp, theirs);
    }

    /// <summary>Samples of a module that adds what comes before a dropout to what comes after it are those of one mask for all rows.</summary>
    [Fact]
    public void A_modules_dropout_may_stand_in_a_residual()
    {
        var plan = PlanOf((_, outputs, _) => new Net(outputs, (net, x) =>
        {
            var hidden = net.First.call(x);
            return net.Last.call(hidden + net.Dropout.call(hidden));
        }), ("prediction.monteCarloSamples", "3"));
        using var training = new MemberTraining(plan, 0);

        var together = Samples(plan, training, 3);
        var alone = Samples(plan, training, 1);

        Assert.Equal(3 * alone.Length, together.Length);
        Assert.Equal(alone, together[..alone.Length]);
        Assert.NotEqual(alone, together[alone.Length..(2 * alone.Length)]);
    }

    [Fact]
    public void Tensors_that_a_module_does_not_register_stay()
    {
        var plan = PlanOf((_, outputs, _) =>
        {
            var scale = full(20, 0.5f);
            return new Net(outputs, (net, x) => net.Last.call(net.Dropout.call(net.First.call(x) * scale)));
        });
        using var training = new MemberTraining(plan, 0);

        for (var step = 0; step < 3; step++) Assert.NotNull(training.Advance());
        Assert.Null(plan.Of(0).Network.Inexact);
        Assert.NotEmpty(Samples(plan, training, 2));
        Assert.NotEmpty(Samples(plan, training, 2));
    }

    [Theory]
    [InlineData("draws")]
    [InlineData("counts")]
    [InlineData("functional")]
    [InlineData("trains")]
    public void A_module_whose_bits_the_weights_do_not_decide_trains_inexactly(string fault)
    {
        var plan = PlanOf((_, outputs, _) =>
        {
            var passes = 0;
            return new Net(outputs, (net, x) => net.Last.call(net.Dropout.call(fault switch
            {
                "trains" => Trained(net).First.call(x),
                "draws" => net.First.call(x) + rand(20),
                "counts" => net.First.call(x) * ++passes,
                _ => functional.dropout(net.First.call(x), 0.5, net.training),
            })));
        });
        using var training = new MemberTraining(plan, 0);

        Assert.Equal(
            "model.kind is \"mine\": its module gives other numbers for the same weights, rows and masks: something in it draws or counts by itself", plan.Of(0).Network.Inexact);
        Assert.NotNull(training.Advance());
    }

    /// <summary>One matrix in two places is one part of the weights: a network that reads back what it wrote, say.</summary>
    [Fact]
    public void A_parameter_in_two_places_is_one()
    {
        var plan = PlanOf((_, outputs, _) =>
        {
            var (first, again) = (Linear(20, 20), Linear(20, 20));
            again.weight = first.weight;
            return Sequential(Flatten(), Linear(64, 20), first, ReLU(), again, ReLU(), Linear(20, outputs));
        });
        using var training = new MemberTraining(plan, 0);
        using var start = training.CopyWeights();

        var losses = Enumerable.Range(0, 20).Select(_ => training.Advance()!.Loss).ToList();

        Assert.Equal((64 + 1) * 20 + 20 * 20 + 20 + 20 + (20 + 1) * 10, plan.Of(0).Network.Layout.ParameterCount);
        Assert.Null(plan.Of(0).Network.Inexact);
        Assert.True(losses[^1] < losses[0]);
        using var end = training.CopyWeights();
        Assert.All(plan.Of(0).Network.Layout.Tensors, place => Assert.False(start.Values(place).SequenceEqual(end.Values(place)), $"{place.Name} stayed."));
    }

    /// <summary>What does not learn stays as it starts, and other weights learn.</summary>
    [Fact]
    public void A_parameter_that_needs_no_gradient_stays()
    {
        var plan = PlanOf(
            (_, outputs, _) =>
            {
                var frozen = Linear(64, 20);
                foreach (var parameter in frozen.parameters()) parameter.requires_grad = false;
                return Sequential(Flatten(), frozen, ReLU(), Linear(20, outputs));
            },
            ("regularization.l2", "0.01"));
        using var training = new MemberTraining(plan, 0);
        using var start = training.CopyWeights();

        for (var step = 0; step < 5; step++) Assert.NotNull(training.Advance());

        using var end = training.CopyWeights();
        Assert.All(plan.Of(0).Network.Layout.Tensors, place => Assert.Equal(place.Name.StartsWith("layers.0.1.", StringComparison.Ordinal), start.Values(place).SequenceEqual(end.Values(place))));
    }

    [Fact]
    public void A_module_with_a_buffer_of_integers_trains_inexactly()
    {
        var plan = PlanOf((_, outputs, _) =>
        {
            var net = new Net(outputs, (own, x) => own.Last.call(own.Dropout.call(own.First.call(x))));
            net.register_buffer("seen", zeros(1, ScalarType.Int64));
            return net;
        });
        using var training = new MemberTraining(plan, 0);

        Assert.Equal("model.kind is \"mine\": its module's buffer seen is not float32, and no checkpoint has it", plan.Of(0).Network.Inexact);
        Assert.NotNull(training.Advance());
    }

    /// <summary>As the places of a sequence are: no statistic, and nothing that is drawn.</summary>
    [Fact]
    public void A_buffer_keeps_the_numbers_that_it_is_made_with()
    {
        var plan = PlanOf((_, outputs, _) =>
        {
            var net = new Net(outputs, (own, x) => own.Last.call(own.Dropout.call(own.First.call(x) * own.get_buffer("places")!)));
            net.register_buffer("places", arange(20, ScalarType.Float32));
            return net;
        });
        using var training = new MemberTraining(plan, 1);
        Assert.NotNull(training.Advance());

        using var weights = training.CopyWeights();
        Assert.Null(plan.Of(0).Network.Inexact);
        Assert.Equal(Enumerable.Range(0, 20).Select(place => (float)place), weights.Statistics.ToArray());
    }

    [Fact]
    public void A_module_whose_buffer_is_drawn_trains_inexactly()
    {
        var plan = PlanOf((_, outputs, _) =>
        {
            var net = new Net(outputs, (own, x) => own.Last.call(own.Dropout.call(own.First.call(x) * own.get_buffer("drawn")!)));
            net.register_buffer("drawn", rand(20));
            return net;
        });

        Assert.Equal("model.kind is \"mine\": its module's buffer drawn is another in each module", plan.Of(0).Network.Inexact);
    }

    /// <summary>As in layers that were trained before; those that are drawn are drawn again under the member's key.</summary>
    [Fact]
    public void A_parameter_that_needs_no_gradient_keeps_what_every_module_gives_it()
    {
        var plan = PlanOf((_, outputs, _) =>
        {
            var (known, drawn) = (Linear(64, 20, hasBias: false), Linear(20, 20, hasBias: false));
            using (no_grad()) known.weight!.copy_(arange(64 * 20, ScalarType.Float32).view(20, 64) / 1000);
            foreach (var parameter in known.parameters().Concat(drawn.parameters())) parameter.requires_grad = false;
            return Sequential(("flat", Flatten()), ("known", known), ("drawn", drawn), ("last", Linear(20, outputs)));
        });
        using var one = new MemberTraining(plan, 0);
        using var other = new MemberTraining(plan, 1);
        using var first = one.CopyWeights();
        using var second = other.CopyWeights();

        Assert.Null(plan.Of(0).Network.Inexact);
        Assert.Equal(0.001f * 63, first.Values(plan.Of(0).Network.Layout.Tensors[0])[63], 1e-6f);
        Assert.True(first.Values(plan.Of(0).Network.Layout.Tensors[0]).SequenceEqual(second.Values(plan.Of(0).Network.Layout.Tensors[0])));
        Assert.False(first.Values(plan.Of(0).Network.Layout.Tensors[1]).SequenceEqual(second.Values(plan.Of(0).Network.Layout.Tensors[1])));
    }

    /// <summary>A module may do to its rows what it likes: they are a copy.</summary>
    [Fact]
    public void A_module_that_overwrites_its_rows_is_exact()
    {
        var plan = PlanOf((_, outputs, _) => new Net(outputs, (net, x) => net.Last.call(net.Dropout.call(net.First.call(x.mul_(0.5))))));

        Assert.Null(plan.Of(0).Network.Inexact);
    }

    /// <summary>Takes the dropout for torch's own again.</summary>
    private static Net Trained(Net net)
    {
        net.train();
        return net;
    }

    private static Module<Tensor, Tensor> Frozen(Module<Tensor, Tensor> module)
    {
        foreach (var parameter in module.parameters()) parameter.requires_grad = false;
        return module;
    }

    /// <summary>It goes on from the pass before, as a hidden state that nobody detaches does.</summary>
    private static Net Keeping(int outputs)
    {
        Tensor? state = null;
        return new Net(outputs, (net, x) =>
        {
            var hidden = net.First.call(x);
            var given = net.Last.call(net.Dropout.call(state is null ? hidden : hidden + 0 * state));
            state = net.training ? hidden.mean([0]).sigmoid().DetachFromDisposeScope() : null;
            return given;
        });
    }

    private static Net Buffered(int outputs, string name, Tensor buffer, Func<Net, Tensor, Tensor> forward)
    {
        var net = new Net(outputs, forward);
        net.register_buffer(name, buffer);
        return net;
    }

    private static Module<Tensor, Tensor> Late(Net net)
    {
        if (net.Late is not null) return net.Late;
        net.Late = Linear(20, 20);
        net.register_module("late", net.Late);
        return net.Late;
    }

    private static void AssertEqualSamples(TrainingPlan plan, MemberTraining mine, TrainingPlan other, MemberTraining theirs)
    {
        foreach (var (a, b) in Samples(plan, mine, 3).Zip(Samples(other, theirs, 3))) Assert.Equal(b, a, 1e-3f);
    }

    /// <summary>[samples, 5 rows, outputs].</summary>
    private static float[] Samples(TrainingPlan plan, MemberTraining member, int samples)
    {
        const int Rows = 5;
        using var function = plan.Of(0).Network.CreateFunction(Rows * samples, isTrained: false);
        using var weights = member.CopyWeights();
        plan.Dataset.Test.Inputs()[..(Rows * (int)plan.Of(0).Network.InputWidth)].CopyTo(function.Inputs);
        return function.Forward(weights, Rows, new MonteCarloNoise(plan.Random, 1, 0, samples)).ToArray();
    }

    private static Module<Tensor, Tensor> BatchNormed(IReadOnlyList<long> shape, int outputs, JsonObject settings) =>
        Sequential(Conv2d(1, 4, 3), BatchNorm2d(4), ReLU(), Flatten(), Linear(4 * 36, outputs));

    private static TrainingPlan PlanOf(ModuleDesign design, params (string Path, string Value)[] settings)
    {
        var (digits, networks) = (new Digits(), new NetworkRegistry());
        networks.AddModule("mine", design);
        var spec = SpecDocument.Parse(Mine).With("logging.everySteps", "1").With(settings).Resolve(digits.Defaults, networks.Kinds);
        return new TrainingPlan(spec, digits.Load(new DataFolders()), networks);
    }

    private sealed class Net : Module<Tensor, Tensor>
    {
        private readonly Func<Net, Tensor, Tensor> _forward;

        public Net(int outputs, Func<Net, Tensor, Tensor> forward) : base("net")
        {
            _forward = forward;
            First = Sequential(Flatten(), Linear(64, 20));
            Dropout = Dropout(0.5);
            Last = Linear(20, outputs);
            register_module("first", First);
            register_module("dropout", Dropout);
            register_module("last", Last);
        }

        public Module<Tensor, Tensor> First { get; }

        public TorchSharp.Modules.Dropout Dropout { get; }

        public TorchSharp.Modules.Linear Last { get; }

        public Module<Tensor, Tensor>? Late { get; set; }

        /// <summary>What it gives where nothing is odd about it.</summary>
        public Tensor Given(Tensor input) => Last.call(Dropout.call(First.call(input)));

        public override Tensor forward(Tensor input) => _forward(this, input);
    }
}
