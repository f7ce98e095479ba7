using System.Text.Json.Nodes;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Torch;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training.Tests.Networks;

/// <summary>Modules, designs and names that are refused before a run begins, in one line each.</summary>
public sealed partial class ModuleTests
{
    [Theory]
    [InlineData("shape", "its module gives [2, 11] for two rows: it must give [2, 10]")]
    [InlineData("none", "its module has no parameters: there is nothing to train")]
    [InlineData("throws", "its module cannot be made: no such thing.")]
    [InlineData("fails", "its module fails on two rows of [1, 8, 8]: ")]
    [InlineData("root", "its module gives numbers that are not finite for rows of random numbers")]
    [InlineData("alpha", "its module has AlphaDropout, whose masks come from torch's one generator and can not be drawn again. Take nn.Dropout, or leave it out")]
    [InlineData("all", "its module's dropout 1 drops everything: its p must be below 1")]
    [InlineData("twice", "its module calls its dropout dropout 2 times in a pass: masks are drawn for each by its place. Call it once, by call and not by forward")]
    [InlineData("forward", "its module calls its dropout dropout 0 times in a pass: masks are drawn for each by its place. Call it once, by call and not by forward")]
    [InlineData("late", "its module makes the parameter late.weight in a pass: a member's weights are those that its module is made with")]
    [InlineData("late buffer", "its module makes the buffer late in a pass: a member's weights are those that its module is made with")]
    [InlineData("double", "its module has parameters that are not float32")]
    [InlineData("gives double", "its module gives numbers of Float64: it must give those of Float32")]
    [InlineData("evaluated", "its module gives numbers that are not finite for rows of zeros")]
    [InlineData("nothing", "its design gives no module.")]
    [InlineData("says nothing", "its module cannot be made: InvalidOperationException.")]
    [InlineData("setting", "its module cannot be made: Object reference not set to an instance of an object (does it read of model.settings what the spec does not have?).")]
    [InlineData("scalar", "its module gives [] for two rows: it must give [2, 10].")]
    [InlineData("integers", "its module gives numbers of Int64: it must give those of Float32.")]
    [InlineData("frozen", "none of its module's parameters needs a gradient: there is nothing to train.")]
    [InlineData("detached", "its module gives numbers without a gradient in training: something in it detaches them, or computes without.")]
    [InlineData("disposed", "its module gives no tensor, or one that it has disposed of.")]
    [InlineData("squeezed", "its module gives [10] for one row: it must give [1, 10].")]
    [InlineData("one row", "its module fails on one row of [1, 8, 8]: ")]
    [InlineData("mixed", "its module predicts other numbers for a row alone than beside another: it mixes rows.")]
    [InlineData("training", "its module predicts other numbers for a row alone than beside another: it mixes rows.")]
    [InlineData("zeroed", "its module lets go of the gradient of its parameter first.1.weight in a pass: leave zero_grad to the step.")]
    [InlineData("clamped", "its module changes its parameter last.weight in a pass: only the optimizer does.")]
    [InlineData("replaced", "its module makes the parameter last.weight in a pass: a member's weights are those that its module is made with")]
    [InlineData("overwritten", "the gradient of what its module gives fails: ")]
    [InlineData("kept", "the gradient of what its module gives fails: ")]
    [InlineData("mask", "its module's buffer mask is not finite, and buffers are weights. Take -1e9 for an infinity in a mask, or make the mask in the pass.")]
    [InlineData("measured", "its module's buffer highest is not finite after a pass of two rows, and buffers are weights.")]
    [InlineData("places", "its module's dropout dropout is given [1, 20] for two rows: the rows must come first.")]
    public void A_bad_module_gets_one_line(string fault, string reason)
    {
        var error = Assert.Throws<SpecException>(() => PlanOf((_, outputs, settings) => fault switch
        {
            "shape" => Sequential(Flatten(), Linear(64, outputs + 1)),
            "none" => Flatten(),
            "fails" => Sequential(Flatten(), Linear(63, outputs)),
            "root" => new Net(outputs, (net, x) => net.Last.call(net.First.call(x.sqrt()))),
            "alpha" => Sequential(Flatten(), AlphaDropout(0.5), Linear(64, outputs)),
            "all" => Sequential(Flatten(), Dropout(1), Linear(64, outputs)),
            "twice" => new Net(outputs, (net, x) => net.Last.call(net.Dropout.call(net.Dropout.call(net.First.call(x))))),
            "late" => new Net(outputs, (net, x) => net.Last.call(Late(net).call(net.Dropout.call(net.First.call(x))))),
            "late buffer" => new Net(outputs, (net, x) =>
            {
                if (!net.has_buffer("late")) net.register_buffer("late", ones(20));
                return net.Last.call(net.Dropout.call(net.First.call(x)) * net.get_buffer("late")!);
            }),
            "double" => Sequential(Flatten(), Linear(64, outputs, dtype: ScalarType.Float64)),
            "gives double" => new Net(outputs, (net, x) => net.Last.call(net.Dropout.call(net.First.call(x))).to(ScalarType.Float64)),
            "evaluated" => new Net(outputs, (net, x) => net.Last.call(net.Dropout.call(net.First.call(x))) * (net.training ? 1 : float.NaN)),
            "forward" => new Net(outputs, (net, x) => net.Last.call(net.Dropout.forward(net.First.call(x)))),
            "nothing" => null!,
            "says nothing" => throw new InvalidOperationException(""),
            "setting" => Sequential(Flatten(), Linear(64, (int)settings["units"]!)),
            "scalar" => new Net(outputs, (net, x) => net.Given(x).sum()),
            "integers" => new Net(outputs, (net, x) => net.Given(x).round().to(ScalarType.Int64)),
            "frozen" => Frozen(Sequential(Flatten(), Linear(64, outputs))),
            "detached" => new Net(outputs, (net, x) => net.Given(x).detach()),
            "disposed" => new Net(outputs, (net, x) =>
            {
                using var scope = NewDisposeScope();
                return net.Given(x);
            }),
            "squeezed" => new Net(outputs, (net, x) => net.Given(x).squeeze()),
            "one row" => new Net(outputs, (net, x) => net.Given(x.squeeze())),
            "mixed" => new Net(outputs, (net, x) => net.Given(x).softmax(0)),
            "training" => new Net(outputs, (net, x) => functional.batch_norm(net.Given(x), zeros(outputs), ones(outputs), training: x.size(0) > 1)),
            "zeroed" => new Net(outputs, (net, x) =>
            {
                net.zero_grad();
                return net.Given(x);
            }),
            "overwritten" => new Net(outputs, (net, x) =>
            {
                var hidden = net.First.call(x).sigmoid();
                var rows = hidden.sigmoid();
                rows.mul_(2);
                return net.Last.call(net.Dropout.call(rows));
            }),
            "kept" => Keeping(outputs),
            "mask" => Buffered(outputs, "mask", full(20, float.NegativeInfinity), (net, x) => net.Last.call(net.Dropout.call(net.First.call(x)).softmax(1))),
            "measured" => Buffered(outputs, "highest", zeros(1), (net, x) =>
            {
                using (no_grad()) net.get_buffer("highest")!.fill_(float.PositiveInfinity);
                return net.Given(x);
            }),
            "places" => new Net(outputs, (net, x) => net.Last.call(net.First.call(x) + net.Dropout.call(net.First.call(zeros(1, 64))))),
            "clamped" => new Net(outputs, (net, x) =>
            {
                using (no_grad()) net.Last.weight!.clamp_(-0.01, 0.01);
                return net.Given(x);
            }),
            "replaced" => new Net(outputs, (net, x) =>
            {
                net.Last.weight = new TorchSharp.Modules.Parameter(net.Last.weight!.detach().clone());
                return net.Given(x);
            }),
            _ => throw new InvalidOperationException("no such thing."),
        }));

        Assert.StartsWith($"model.kind is \"mine\": {reason}", error.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("..", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("units", "its design does not make the same module each time: where one has 1.weight [10, 64], the next has 1.weight [11, 64].")]
    [InlineData("layers", "its design does not make the same module each time: where one has no more, the next has 2.weight [10, 10].")]
    [InlineData("module", "its design gives the parameter 1.weight to more than one module: each thread trains in a module of its own. Make all of it anew each time.")]
    [InlineData("layer", "its design gives the parameter 1.weight to more than one module: each thread trains in a module of its own. Make all of it anew each time.")]
    [InlineData("buffer", "its design gives the buffer places to more than one module: each thread trains in a module of its own. Make all of it anew each time.")]
    public void A_design_that_does_not_make_a_module_of_its_own_each_time_gets_one_line(string fault, string reason)
    {
        var (made, one, layer, places) = (0, (Module<Tensor, Tensor>?)null, (Module<Tensor, Tensor>?)null, (Tensor?)null);

        var error = Assert.Throws<SpecException>(() => PlanOf((_, outputs, _) =>
        {
            made++;
            switch (fault)
            {
                case "units": return Sequential(Flatten(), Linear(64, 9 + made), Linear(9 + made, outputs));
                case "layers": return made == 1 ? Sequential(Flatten(), Linear(64, outputs)) : Sequential(Flatten(), Linear(64, outputs), Linear(outputs, outputs));
                case "module": return one ??= Sequential(Flatten(), Linear(64, outputs));
                case "layer": return Sequential(Flatten(), layer ??= Linear(64, 20), Linear(20, outputs));
                default:
                    var net = new Net(outputs, (own, x) => own.Given(x));
                    net.register_buffer("places", places ??= arange(20, ScalarType.Float32));
                    return net;
            }
        }));

        Assert.Equal($"model.kind is \"mine\": {reason}", error.Message);
    }

    [Fact]
    public void A_batch_of_one_row_that_a_module_cannot_train_on_gets_one_line_before_the_run()
    {
        var rows = PlanOf(Mlp).Of(0).RowCount;
        var size = Enumerable.Range(2, 99).First(size => rows % size == 1);

        // What it kept before such a batch can be read.
        var plan = PlanOf((_, outputs, _) => Sequential(Flatten(), Linear(64, 20), BatchNorm1d(20), Linear(20, outputs)), ("training.batchSize", $"{size}"));
        var error = Assert.Throws<SpecException>(() => new MemberTraining(plan, 0));

        Assert.Equal(
            $"training.batchSize is {size}: of {rows:N0} rows the last batch is one. model.kind is \"mine\": its module's buffer 2.running_var is not finite after one row in training. "
            + "Choose another size.", error.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" mine")]
    [InlineData("mi\nne")]
    public void A_name_that_no_spec_can_be_read_by_gets_one_line(string name)
    {
        var error = Assert.Throws<ArgumentException>(() => new NetworkRegistry().AddModule(name, Mlp));

        Assert.StartsWith("A network is named \"", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void What_has_a_name_already_gets_one_line()
    {
        Assert.StartsWith(
            "There is a network \"mlp\" already: known are mlp, tabm, lenet, resnet. Choose another name.",
            Assert.Throws<ArgumentException>(() => new NetworkRegistry().AddModule("mlp", Mlp)).Message, StringComparison.Ordinal);
        Assert.StartsWith(
            "There is a dataset \"digits\" already: known are digits, fashion-mnist, two-moons. Choose another name.",
            Assert.Throws<ArgumentException>(() => new DatasetRegistry().Add(new Digits())).Message, StringComparison.Ordinal);
    }
}
