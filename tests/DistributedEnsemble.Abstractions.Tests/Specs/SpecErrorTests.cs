using System.Text.Json.Nodes;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble;

/// <summary>What people read when a spec is wrong: the whole line.</summary>
public sealed class SpecErrorTests
{
    [Theory]
    [InlineData("members=0", "members is 0: it must be a whole number from 1 to 10000.")]
    [InlineData("members=10001", "members is 10001: it must be a whole number from 1 to 10000.")]
    [InlineData("members=2.5", "members is 2.5: it must be a whole number from 1 to 10000.")]
    [InlineData("members=ten", "members is \"ten\": it must be a whole number from 1 to 10000.")]
    [InlineData("members=null", "members is null: it must be a whole number from 1 to 10000.")]
    [InlineData("members=1e999999", "members is 1e999999: it must be a whole number from 1 to 10000.")]
    [InlineData("threadsPerMember=257", "threadsPerMember is 257: it must be a whole number from 1 to 256.")]
    [InlineData("priority=0", "priority is 0: it must be a whole number from 1 to 100.")]
    [InlineData("priority=101", "priority is 101: it must be a whole number from 1 to 100.")]
    [InlineData("priority=1.5", "priority is 1.5: it must be a whole number from 1 to 100.")]
    [InlineData("seed=-1", "seed is -1: it must be a whole number from 0 to 18446744073709551615.")]
    [InlineData("seed=18446744073709551616", "seed is 18446744073709551616: it must be a whole number from 0 to 18446744073709551615.")]
    [InlineData("training.epochs=1e7", "training.epochs is 1e7: it must be a whole number from 1 to 1000000.")]
    [InlineData("training.schedule.learningRate=0", "training.schedule.learningRate is 0: it must be a number above 0 and at most 1000.")]
    [InlineData("training.schedule.learningRate=NaN", "training.schedule.learningRate is \"NaN\": it must be a number above 0 and at most 1000.")]
    [InlineData("training.schedule.learningRate=1e400", "training.schedule.learningRate is 1e400: it must be a number above 0 and at most 1000.")]
    [InlineData("training.optimizer.momentum=1.0", "training.optimizer.momentum is 1.0: it must be a number at least 0 and below 1.")]
    [InlineData("training.optimizer.epsilon=0", "training.optimizer.epsilon is 0: it must be a number above 0 and at most 1.")]
    [InlineData("regularization.l2=-1e-4", "regularization.l2 is -1e-4: it must be a number from 0 to 1000.")]
    [InlineData("regularization.dropout.rate=1.2", "regularization.dropout.rate is 1.2: a dropout rate is a probability below 1 (0 switches dropout off).")]
    [InlineData("averaging.decay=0", "averaging.decay is 0: a decay is above 0 and at most 1 (1 is the uniform average).")]
    [InlineData("data.validationFraction=0.95", "data.validationFraction is 0.95: it must be a share from 0 to 0.9 of the training rows (0 keeps no validation split).")]
    [InlineData("model.hidden=128", "model.hidden is 128: it must be a list of 1 to 64 whole numbers, each from 1 to 1000000.")]
    [InlineData("model.hidden=[]", "model.hidden is []: it must be a list of 1 to 64 whole numbers, each from 1 to 1000000.")]
    [InlineData("model.hidden=[64,1e11]", "model.hidden[1] is 1e11: it must be a whole number from 1 to 1000000.")]
    [InlineData("model.hidden=[64", "model.hidden is \"[64\": it must be a list of 1 to 64 whole numbers, each from 1 to 1000000.")]
    [InlineData("name=Fashion Ten", "name is \"Fashion Ten\": a name has 1 to 63 characters of a-z, 0-9 and -, and starts with a letter or digit.")]
    [InlineData("prediction.select=last:0", "prediction.select is \"last:0\": it must be all, greedy, or last:N with N from 1 to 999999.")]
    [InlineData("data.columns=0", "data.columns is 0: it must be a share above 0 and at most 1 of the features (1 is all of them).")]
    [InlineData("data.folds=1", "data.folds is 1: a member would train without all of its rows (take 2 folds or more, or 0 for none).")]
    [InlineData("training=3", "training is 3: it must be a section in braces.")]
    [InlineData("training=null", "training is null: it must be a section in braces.")]
    [InlineData("averaging=on", "averaging is \"on\": it must be a section in braces, or null (off).")]
    public void A_value_out_of_type_or_range_is_named_with_its_rule(string setting, string error) => AssertError(error, setting);

    [Theory]
    [InlineData("training.optimizer.kind=adm", "training.optimizer.kind is \"adm\": it must be sgd, adam or adamw (did you mean adam?).")]
    [InlineData("training.schedule.kind=CyclicCosine", "training.schedule.kind is \"CyclicCosine\": it must be constant, step, cosine or cyclic-cosine (did you mean cyclic-cosine?).")]
    [InlineData("training.precision=float32", "training.precision is a key no more: all kernels compute in float32 (leave the key out).")]
    [InlineData("regularization.dropout.kind=invert", "regularization.dropout.kind is \"invert\": it must be inverted or vanilla (did you mean inverted?).")]
    [InlineData("averaging.reset=cycles", "averaging.reset is \"cycles\": it must be never or cycle (did you mean cycle?).")]
    [InlineData("prediction.from=snapshot", "prediction.from is \"snapshot\": it must be final, snapshots or ema (did you mean snapshots?).")]
    [InlineData("model.kind=resent", "model.kind is \"resent\": it must be mlp, tabm, lenet or resnet (did you mean resnet?).")]
    public void An_unknown_choice_is_answered_with_all_of_them_and_the_nearest(string setting, string error) => AssertError(error, setting);

    [Theory]
    [InlineData("training.epoch=3", "training.epoch is an unknown key: did you mean training.epochs?")]
    [InlineData("training.learningRate=0.1", "training.learningRate is an unknown key: did you mean training.schedule.learningRate?")]
    [InlineData("lerningrate=0.1", "lerningrate is an unknown key: did you mean training.schedule.learningRate?")]
    [InlineData("dropout=0.5", "dropout is an unknown key: did you mean regularization.dropout?")]
    [InlineData("everySteps=5", "everySteps is an unknown key: did you mean training.earlyStopping.everySteps, averaging.everySteps or logging.everySteps?")]
    [InlineData("data.qqqqqqqqqqqq=5", "data.qqqqqqqqqqqq is an unknown key: the keys here are dataset, target, task, ignore, categorical, header, test, imageSize, validationFraction, bootstrap, folds and columns.")]
    [InlineData("members.count=3", "members.count is an unknown key: members is a value and has no keys.")]
    [InlineData("=3", "\"\" is an unknown key: the keys here are name, seed, members, threadsPerMember, priority, data, model, variants, search, training, distillation, regularization, averaging, snapshots, checkpoints, logging and prediction.")]
    public void An_unknown_key_is_answered_with_the_one_that_was_meant(string setting, string error) => AssertError(error, setting);

    [Theory]
    [InlineData("training.optimizer.kind=adam training.optimizer.momentum=0.5", "training.optimizer.momentum is 0.5: this key belongs to sgd, and training.optimizer.kind is adam (leave the key out, or choose sgd).")]
    [InlineData("training.optimizer.beta1=0.8", "training.optimizer.beta1 is 0.8: this key belongs to adam and adamw, and training.optimizer.kind is sgd (leave the key out, or choose adam or adamw).")]
    [InlineData("model.kind=mlp model.submodels=4", "model.submodels is 4: this key belongs to tabm, and model.kind is mlp (leave the key out, or choose tabm).")]
    [InlineData("model.kind=lenet model.hidden=[64]", "model.hidden is [64]: this key belongs to mlp and tabm, and model.kind is lenet (leave the key out, or choose mlp or tabm).")]
    [InlineData("model.depth=20 model.hidden=[64]", "model.depth is 20: this key belongs to resnet, and model.kind is mlp (leave the key out, or choose resnet).")]
    [InlineData("training.schedule.milestones=[3]", "training.schedule.milestones is [3]: this key belongs to step, and training.schedule.kind is cosine (leave the key out, or choose step).")]
    [InlineData("model.settings={\"units\":3}", "model.settings is {\"units\":3}: this key belongs to kinds that the host registered, and model.kind is mlp (leave the key out, or name a network of the host's own).")]
    public void A_key_of_another_kind_is_refused(string settings, string error) => AssertError(error, settings.Split(' '));

    [Theory]
    [InlineData("training.schedule.kind=cyclic-cosine training.schedule.cycles=5 snapshots.perMember=4", "training.schedule.cycles is 5 and snapshots.perMember is 4: each cycle ends in one snapshot (set one of them, the other follows).")]
    [InlineData("prediction.select=greedy data.validationFraction=0", "prediction.select is \"greedy\": greedy selection needs validation rows, and data.validationFraction is 0 (raise it, or select all).")]
    [InlineData("prediction.from=ema", "prediction.from is ema: EMA models come from averaging, which is off (set averaging.decay, or predict from final).")]
    [InlineData("prediction.monteCarloSamples=20", "prediction.monteCarloSamples is 20: Monte-Carlo prediction averages over dropout masks, and dropout is off (set regularization.dropout.rate, or 0 samples).")]
    [InlineData("prediction.monteCarloSamples=20 regularization.dropout.rate=0", "prediction.monteCarloSamples is 20: Monte-Carlo prediction averages over dropout masks, and dropout is off (set regularization.dropout.rate, or 0 samples).")]
    [InlineData("training.optimizer.kind=adam regularization.weightDecay=0.01", "regularization.weightDecay is 0.01: it is decoupled, which makes adamw of adam, and training.optimizer.kind is adam (choose adamw; or set regularization.l2, the coupled form, to half of PyTorch's weight_decay, and weightDecay to 0).")]
    [InlineData("model.depth=21", "model.depth is 21: a resnet has 6n+2 layers, from 8 to 1202 (near are 20 and 26).")]
    [InlineData("model.depth=1", "model.depth is 1: a resnet has 6n+2 layers, from 8 to 1202 (near are 8 and 14).")]
    [InlineData("training.schedule.kind=step training.schedule.milestones=[30,20]", "training.schedule.milestones is [30, 20]: milestones are epochs, each later than the one before (sort them).")]
    public void Keys_that_do_not_go_together_are_told_why(string settings, string error) => AssertError(error, settings.Split(' '));

    [Theory]
    [InlineData("", "The spec is empty: {} is the spec that leaves every key at its default.")]
    [InlineData("{\n  \"members\": ten }", "The spec is not JSON at line 2, byte 15: 'ten }' is an invalid JSON literal. Expected the literal 'true'.")]
    [InlineData("[1]", "The spec is [1]: it must be a section in braces.")]
    [InlineData("{\"members\":1,\"members\":2}", "members is given twice: keep one of the two.")]
    [InlineData("{\"training\":{\"epochs\":1,\"epochs\":1}}", "training.epochs is given twice: keep one of the two.")]
    [InlineData("{\"data\":{\"dataset\":\"\\ud800\"}}", "data.dataset is \"\\ud800\": it must be the name of a dataset or of a file, in quotes.")]
    [InlineData("{\"data\":{\"dataset\":7}}", "data.dataset is 7: it must be the name of a dataset or of a file, in quotes.")]
    [InlineData("{\"\\ud800\":7}", "The spec is not JSON: a key holds half of a surrogate pair.")]
    [InlineData("{\"a\\nb\":7}", "a b is an unknown key: the keys here are name, seed, members, threadsPerMember, priority, data, model, variants, search, training, distillation, regularization, averaging, snapshots, checkpoints, logging and prediction.")]
    public void A_text_that_is_no_spec_is_refused_in_one_line(string text, string error) =>
        Assert.Equal(error, Assert.Throws<SpecException>(() => SpecDocument.Parse(text)).Message);

    [Theory]
    [InlineData("7")]
    [InlineData("[1]")]
    [InlineData("{\"a\":1,\"a\":2}")]
    [InlineData("{\"a\":{\"b\":1,\"b\":2}}")]
    [InlineData("{\"a\":\"\\ud800\"}")]
    public void Settings_that_are_no_object_are_refused(string value) => Assert.Equal(
        $"model.settings is {value}: it must be an object in braces of at most 65536 characters that names each key once, as in {{\"units\": 64}}.",
        Assert.Throws<SpecException>(() => SpecDocument.Empty.With("model.settings", value)).Message);

    [Fact]
    public void A_registered_kind_is_among_the_choices() => Assert.Equal(
        "model.kind is \"wide\": it must be mlp or wide-net (did you mean wide-net?).",
        Assert.Throws<SpecException>(() => SpecDocument.Empty.With("model.kind", "wide").Resolve(null, ["mlp", "wide-net"])).Message);

    [Fact]
    public void A_setting_without_a_value_is_refused() => Assert.Equal(
        "--set training.epochs has no value: write path=value, as in --set training.epochs=20.",
        Assert.Throws<SpecException>(() => SpecDocument.ParseSetting("training.epochs")).Message);

    [Fact]
    public void A_datasets_keys_of_another_kind_are_never_an_error() =>
        Assert.Equal(0.9, SpecDocument.Empty.With("training.optimizer.kind", "adam")
            .Resolve(JsonNode.Parse("""{"training":{"optimizer":{"momentum":0.5}}}""")!.AsObject()).Training.Optimizer.Momentum);

    [Fact]
    public void A_datasets_weight_decay_goes_with_its_optimizer() =>
        Assert.Equal(0, SpecDocument.Empty.With("training.optimizer.kind", "adam")
            .Resolve(JsonNode.Parse("""{"training":{"optimizer":{"kind":"adamw"}},"regularization":{"weightDecay":0.03}}""")!.AsObject()).Regularization.WeightDecay);

    [Fact]
    public void A_run_of_former_times_that_decayed_with_adam_can_be_read() => Assert.Equal(
        0.01, EnsembleSpec.FromJson("""{"training":{"optimizer":{"kind":"adam"}},"regularization":{"weightDecay":0.01}}""").Regularization.WeightDecay);

    private static void AssertError(string error, params string[] settings) => Assert.Equal(error, Assert.Throws<SpecException>(
        () => SpecDocument.Empty.With(settings.Select(SpecDocument.ParseSetting)).Resolve()).Message);
}
