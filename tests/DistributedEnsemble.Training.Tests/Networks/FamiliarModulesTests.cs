using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Torch;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training.Tests.Networks;

/// <summary>Modules as people bring them: written for TorchSharp, and nothing changed for us.</summary>
public sealed class FamiliarModulesTests
{
    private const string Spec = """
        {
          "seed": 5, "members": 2, "data": { "dataset": "digits" }, "model": { "kind": "mine" }, "logging": { "everySteps": 1 },
          "training": { "epochs": 2, "batchSize": 100, "optimizer": { "kind": "adam" }, "schedule": { "kind": "cosine", "learningRate": 0.01 } },
          "averaging": { "decay": 0.9, "everySteps": 5 }
        }
        """;

    public static readonly Dictionary<string, ModuleDesign> Designs = new()
    {
        ["a convolution over one dimension, with batch norm and dropout"] = (_, outputs, _) => Sequential(
            Flatten(), Unflatten(1, [4, 16]), Conv1d(4, 8, 3), BatchNorm1d(8), ReLU(), MaxPool1d(2), Dropout(0.2), Flatten(), Linear(8 * 7, outputs)),
        ["an encoder of a transformer"] = (_, outputs, _) => new Encoder(outputs),
        ["torch's own encoder of a transformer"] = (_, outputs, _) => new Whole(outputs),
        ["an LSTM over the rows of a picture"] = (_, outputs, _) => new Recurrent(outputs),
        ["a GRU in both directions"] = (_, outputs, _) => new Gated(outputs),
        ["a buffer, tied weights and a branch"] = (_, outputs, _) => new Tied(outputs),
    };

    public static TheoryData<string> Names => [.. Designs.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void It_learns_exactly_and_goes_on_from_a_checkpoint(string name)
    {
        var plan = PlanOf(Designs[name]);
        Assert.Null(plan.Of(0).Network.Inexact);
        using var training = new MemberTraining(plan, 0);
        using var start = training.CopyWeights();
        training.TrainTo(plan, 9);
        using var checkpoint = training.CopyCheckpoint();
        using var resumed = new MemberTraining(plan, 0, checkpoint);
        using var other = new MemberTraining(plan, 1);
        var losses = Enumerable.Range(0, 13).Select(_ => training.Advance()!.Loss).ToList();

        using var weights = training.CopyWeights();
        var end = training.TrainTo(plan, plan.Of(0).Steps);

        Assert.True(losses.TakeLast(3).Average() < 0.98 * MathF.Log(10), string.Join(' ', losses));
        Assert.All(plan.Of(0).Network.Layout.Tensors, place => Assert.False(start.Values(place).SequenceEqual(weights.Values(place)), $"{place.Name} stayed."));
        Assert.Equal(end, resumed.TrainTo(plan, plan.Of(0).Steps));
        Assert.NotEqual(end, other.TrainTo(plan, plan.Of(0).Steps));
    }

    private static TrainingPlan PlanOf(ModuleDesign design)
    {
        var (digits, networks) = (new Digits(), new NetworkRegistry());
        networks.AddModule("mine", design);
        return new TrainingPlan(SpecDocument.Parse(Spec).Resolve(digits.Defaults, networks.Kinds), digits.Load(new DataFolders()), networks);
    }

    private sealed class Encoder : Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear _embedding, _widen, _narrow, _last;
        private readonly TorchSharp.Modules.MultiheadAttention _attention;
        private readonly TorchSharp.Modules.LayerNorm _first, _second;
        private readonly TorchSharp.Modules.Dropout _dropout;

        public Encoder(int outputs) : base("encoder")
        {
            _embedding = Linear(8, 16);
            _attention = MultiheadAttention(16, 2);
            (_first, _second) = (LayerNorm(16), LayerNorm(16));
            (_widen, _narrow) = (Linear(16, 32), Linear(32, 16));
            _dropout = Dropout(0.1);
            _last = Linear(16, outputs);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            // [sequence, rows, features], as torch has it.
            var x = _embedding.call(input.flatten(1, 2)).transpose(0, 1);
            x = _first.call(x + _attention.call(x, x, x, null, false, null).Item1);
            x = _second.call(x + _narrow.call(functional.gelu(_widen.call(x))));
            return _last.call(_dropout.call(x.transpose(0, 1).mean([1])));
        }
    }

    private sealed class Whole : Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.TransformerEncoderLayer _encoder;
        private readonly TorchSharp.Modules.Linear _embedding, _last;

        public Whole(int outputs) : base("whole")
        {
            (_embedding, _last) = (Linear(8, 16), Linear(16, outputs));
            _encoder = TransformerEncoderLayer(16, 2, 32, dropout: 0);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) =>
            _last.call(_encoder.call(_embedding.call(input.flatten(1, 2)).transpose(0, 1), null, null).transpose(0, 1).mean([1]));
    }

    private sealed class Recurrent : Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.LSTM _lstm;
        private readonly TorchSharp.Modules.Linear _last;

        public Recurrent(int outputs) : base("recurrent")
        {
            _lstm = LSTM(8, 12, 2, batchFirst: true);
            _last = Linear(12, outputs);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            var (states, _, _) = _lstm.call(input.squeeze(1), null);
            return _last.call(states.select(1, states.size(1) - 1));
        }
    }

    private sealed class Gated : Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.GRU _gru;
        private readonly TorchSharp.Modules.Linear _last;

        public Gated(int outputs) : base("gated")
        {
            _gru = GRU(8, 10, 1, batchFirst: true, bidirectional: true);
            _last = Linear(20, outputs);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            var (states, _) = _gru.call(input.squeeze(1), null);
            return _last.call(states.mean([1]));
        }
    }

    private sealed class Tied : Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Parameter _matrix;
        private readonly TorchSharp.Modules.Linear _last;
        private readonly Tensor _mean;

        public Tied(int outputs) : base("tied")
        {
            _matrix = new TorchSharp.Modules.Parameter(randn(64, 64) / 8);
            _last = Linear(64, outputs);
            _mean = zeros(64);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            var x = input.flatten(1);
            if (training)
            {
                using (no_grad()) _mean.mul_(0.9).add_(x.mean([0]) * 0.1);
            }

            var hidden = (x - _mean).matmul(_matrix).relu();
            return _last.call(hidden.matmul(_matrix.t()));
        }
    }
}
