using System.Globalization;
using System.Text.Json.Nodes;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble;

public sealed class SpecResolutionTests
{
    private static readonly JsonObject s_digits = JsonNode.Parse("""
        {
          "model": { "kind": "lenet" },
          "training": { "epochs": 20, "batchSize": 64, "schedule": { "learningRate": 0.05 }, "optimizer": { "momentum": 0.8 } }
        }
        """)!.AsObject();

    [Fact]
    public void Nothing_said_is_the_code_default()
    {
        var spec = Resolve("{}");
        Assert.Equal(new EnsembleSpec { Model = ModelSpec.Of("mlp") }, spec);
        Assert.Equal([128], spec.Model.Hidden!);
    }

    [Fact]
    public void The_dataset_comes_before_the_code_and_the_author_before_the_dataset()
    {
        var training = Resolve("""{"training":{"batchSize":32}}""", s_digits).Training;
        Assert.Equal((20, 32, 0.05, 0.8), (training.Epochs, training.BatchSize, training.Schedule.LearningRate, training.Optimizer.Momentum));
    }

    [Fact]
    public void Flags_come_before_the_file_and_later_flags_before_earlier_ones()
    {
        var spec = SpecDocument.Parse("""{"members":3,"seed":4,"training":{"epochs":5}}""")
            .With([("members", "7"), ("data.dataset", "two-moons"), ("members", "8"), ("name", "7"), ("training.epochs", "6")]).Resolve();
        Assert.Equal((8, 4UL, "two-moons", "7", 6), (spec.Members, spec.Seed, spec.Data.Dataset, spec.Name, spec.Training.Epochs));
    }

    [Theory]
    [InlineData("{}", true)]
    [InlineData("""{"data":{"folds":5}}""", false)]
    [InlineData("""{"data":{"bootstrap":true}}""", false)]
    [InlineData("""{"data":{"validationFraction":0}}""", false)]
    [InlineData("""{"data":{"folds":5,"validationFraction":0.2}}""", true)]
    public void A_dataset_s_early_stopping_is_for_runs_that_have_rows_to_stop_by(string spec, bool stops) =>
        Assert.Equal(stops, Resolve(spec, JsonNode.Parse("""{"training":{"earlyStopping":{"patience":30}}}""")!.AsObject()).Training.EarlyStopping is not null);

    [Fact]
    public void A_file_may_have_comments_and_trailing_commas() =>
        Assert.Equal(3, Resolve("{ // three\n \"members\": /* few */ 3, }").Members);

    [Fact]
    public void Columns_are_named_by_lists_of_texts()
    {
        var data = SpecDocument.Empty.With([("data.ignore", """["id", "a,b"]"""), ("data.header", "false"), ("data.task", "regression")]).Data;
        Assert.Equal(["id", "a,b"], data.Ignore!);
        Assert.Equal((false, TaskKind.Regression), (data.Header, data.Task));
        Assert.Equal(data, EnsembleSpec.FromJson(SpecDocument.Empty.With("data.ignore", """["id", "a,b"]""")
            .With([("data.header", "false"), ("data.task", "regression")]).Resolve().ToJson()).Data);
        Assert.Equal(
            "data.ignore[1] is 7: it must be a text of one line, in quotes.",
            Assert.Throws<SpecException>(() => SpecDocument.Empty.With("data.ignore", """["id", 7]""")).Message);
        Assert.Equal(
            "data.header is \"yes\": it must be true or false.",
            Assert.Throws<SpecException>(() => SpecDocument.Empty.With("data.header", "yes")).Message);
    }

    [Fact]
    public void Settings_of_a_registered_kind_are_kept_as_they_are()
    {
        var spec = SpecDocument.Parse("""{ "model": { "kind": "mine", "settings": { "units": [1, 2.50], /* ü */ "deep": { "ü": null } } } }""").Resolve(null, ["mlp", "mine"]);

        Assert.Equal("""{"units":[1,2.50],"deep":{"ü":null}}""", spec.Model.Settings!.ToString());
        Assert.Equal(spec, EnsembleSpec.FromJson(spec.ToJson()));
        Assert.Equal(spec.ToJson(), EnsembleSpec.FromJson(spec.ToJson()).ToJson());
    }

    [Theory]
    [InlineData("float32", false)]
    [InlineData("bfloat16", true)]
    public void A_spec_that_a_run_recorded_when_precision_was_a_key_is_read(string precision, bool wasBFloat16)
    {
        var today = SpecDocument.Empty.Resolve();
        var recorded = today.ToJson().Replace("\"kernels\": \"own\"", $"\"kernels\": \"own\", \"precision\": \"{precision}\"", StringComparison.Ordinal);

        var spec = EnsembleSpec.FromJson(recorded);

        Assert.NotEqual(today.ToJson(), recorded);
        Assert.Equal(today with { Training = today.Training with { WasBFloat16 = wasBFloat16 } }, spec);
        Assert.Equal(today.ToJson(), spec.ToJson());
        Assert.Equal(
            "training.precision is a key no more: all kernels compute in float32 (leave the key out).",
            Assert.Throws<SpecException>(() => SpecDocument.Parse(recorded)).Message);
    }

    [Fact]
    public void The_greatest_seed_is_exact() =>
        Assert.Equal(ulong.MaxValue, SpecDocument.Empty.With("seed", "18446744073709551615").Resolve().Seed);

    [Fact]
    public void Setting_a_key_switches_its_section_on_and_null_switches_it_off()
    {
        var document = SpecDocument.Empty.With("averaging.decay", "0.9");
        Assert.Equal(new AveragingSpec { Decay = 0.9 }, document.Resolve().Averaging);
        Assert.Null(document.With("averaging", "null").Resolve().Averaging);
        Assert.Equal(new AveragingSpec { EverySteps = 7 }, document.With("averaging", "null").With("averaging.everySteps", "7").Resolve().Averaging);
        Assert.Equal(new DropoutSpec(), SpecDocument.Empty.With("regularization.dropout", "{}").Resolve().Regularization.Dropout);
    }

    [Fact]
    public void Null_switches_off_what_the_dataset_switches_on() =>
        Assert.Null(Resolve("""{"averaging":null}""", JsonNode.Parse("""{"averaging":{"decay":0.9}}""")!.AsObject()).Averaging);

    [Fact]
    public void Another_kind_of_model_drops_the_datasets_model()
    {
        var dataset = JsonNode.Parse("""{"model":{"kind":"resnet","depth":32,"width":8}}""")!.AsObject();
        Assert.Equal(ModelSpec.Of("mlp"), Resolve("""{"model":{"kind":"mlp"}}""", dataset).Model);
        Assert.Equal(new ModelSpec { Kind = "resnet", Depth = 32, Width = 8 }, Resolve("""{"model":{"kind":"resnet"}}""", dataset).Model);
        Assert.Equal(new ModelSpec { Kind = "resnet", Depth = 20, Width = 8 }, Resolve("""{"model":{"depth":20}}""", dataset).Model);
    }

    [Theory]
    [InlineData("""{"hidden":[64]}""", "mlp")]
    [InlineData("""{"submodels":4}""", "tabm")]
    [InlineData("""{"hidden":[64],"submodels":4}""", "tabm")]
    [InlineData("""{"numericEmbedding":"piecewise-linear"}""", "mlp")]
    [InlineData("""{"width":4}""", "resnet")]
    [InlineData("""{"depth":8,"width":4}""", "resnet")]
    [InlineData("""{}""", "lenet")]
    public void Keys_of_one_kind_say_which_model_it_is(string model, string kind) =>
        Assert.Equal(kind, Resolve($$"""{"model":{{model}}}""", s_digits).Model.Kind);

    [Fact]
    public void A_registered_kind_may_use_any_key_and_has_no_defaults()
    {
        var dataset = JsonNode.Parse("""{"model":{"kind":"wide-net"}}""")!.AsObject();
        var spec = SpecDocument.Parse("""{"model":{"width":9,"hidden":[3]}}""").Resolve(dataset, ["mlp", "wide-net"]);
        Assert.Equal(new ModelSpec { Kind = "wide-net", Width = 9, Hidden = [3] }, spec.Model);
        Assert.Equal(spec, EnsembleSpec.FromJson(spec.ToJson()));
    }

    [Theory]
    [InlineData("sgd", 0.05, 0.8)]
    [InlineData("adam", 0.001, 0.9)]
    [InlineData("adamw", 0.001, 0.9)]
    public void Another_optimizer_starts_from_its_own_learning_rate(string kind, double learningRate, double momentum)
    {
        var training = SpecDocument.Empty.With("training.optimizer.kind", kind).Resolve(s_digits).Training;
        Assert.Equal((learningRate, momentum), (training.Schedule.LearningRate, training.Optimizer.Momentum));
    }

    [Fact]
    public void A_dataset_that_prefers_adam_leaves_sgd_its_own_learning_rate()
    {
        var dataset = JsonNode.Parse("""{"training":{"optimizer":{"kind":"adam"},"schedule":{"learningRate":0.01}}}""")!.AsObject();
        Assert.Equal(0.01, Resolve("{}", dataset).Training.Schedule.LearningRate);
        Assert.Equal(0.1, Resolve("""{"training":{"optimizer":{"kind":"sgd"}}}""", dataset).Training.Schedule.LearningRate);
    }

    /// <summary>A dataset's learning rate is for its own network: a lenet takes half of an mlp's.</summary>
    [Theory]
    [InlineData("mlp", 0.1, "{}", 0.1)]
    [InlineData("mlp", 0.1, """{ "model": { "kind": "lenet" } }""", 0.05)]
    [InlineData("mlp", 0.02, """{ "model": { "kind": "lenet" } }""", 0.01)]
    [InlineData("mlp", 0.1, """{ "model": { "kind": "resnet" } }""", 0.1)]
    [InlineData("mlp", 0.1, """{ "model": { "kind": "lenet" }, "training": { "schedule": { "learningRate": 0.1 } } }""", 0.1)]
    [InlineData("mlp", 0.1, """{ "model": { "kind": "lenet" }, "training": { "optimizer": { "kind": "adam" } } }""", 0.001)]
    [InlineData("lenet", 0.05, "{}", 0.05)]
    [InlineData("lenet", 0.05, """{ "model": { "hidden": [64] } }""", 0.1)]
    [InlineData("lenet", 0.05, """{ "model": { "kind": "resnet" } }""", 0.1)]
    [InlineData("lenet", 0.05, """{ "model": { "kind": "mine" } }""", 0.05)]
    [InlineData("mine", 0.05, """{ "model": { "kind": "lenet" } }""", 0.05)]
    public void A_dataset_s_learning_rate_is_for_its_own_kind_of_network(string kind, double rate, string author, double learningRate)
    {
        var dataset = JsonNode.Parse($$"""{ "model": { "kind": "{{kind}}" }, "training": { "schedule": { "learningRate": {{rate.ToString(CultureInfo.InvariantCulture)}} } } }""")!.AsObject();
        var spec = SpecDocument.Parse(author).Resolve(dataset, [.. ModelSpec.BuiltInKinds, "mine"]);
        Assert.Equal(learningRate, spec.Training.Schedule.LearningRate);
        Assert.Equal(spec, SpecDocument.Parse(spec.ToJson()).Resolve(dataset, [.. ModelSpec.BuiltInKinds, "mine"]));
    }

    [Theory]
    [InlineData("lenet", "sgd", 0.05)]
    [InlineData("mlp", "sgd", 0.1)]
    [InlineData("lenet", "adamw", 0.001)]
    public void Each_kind_of_network_has_its_own_learning_rate_where_nobody_says_one(string kind, string optimizer, double learningRate) =>
        Assert.Equal(learningRate, Resolve($$"""{ "model": { "kind": "{{kind}}" }, "training": { "optimizer": { "kind": "{{optimizer}}" } } }""").Training.Schedule.LearningRate);

    [Theory]
    [InlineData(100, new[] { 50, 75 })]
    [InlineData(5, new[] { 2, 3 })]
    [InlineData(2, new[] { 1 })]
    [InlineData(1, new int[0])]
    public void Steps_come_after_half_and_three_quarters_of_the_epochs(int epochs, int[] milestones) => Assert.Equal(milestones,
        SpecDocument.Empty.With([("training.epochs", $"{epochs}"), ("training.schedule.kind", "step")]).Resolve().Training.Schedule.Milestones!);

    [Theory]
    [InlineData("", 5, 5)]
    [InlineData("training.schedule.cycles=3", 3, 3)]
    [InlineData("snapshots.perMember=4", 4, 4)]
    [InlineData("snapshots={} training.schedule.cycles=3", 3, 3)]
    [InlineData("snapshots.perMember=4 training.schedule.cycles=4", 4, 4)]
    [InlineData("snapshots=null training.schedule.cycles=3", 3, null)]
    public void Cycles_and_snapshots_follow_each_other(string settings, int cycles, int? perMember)
    {
        var spec = SpecDocument.Empty.With("training.schedule.kind", "cyclic-cosine")
            .With(settings.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(SpecDocument.ParseSetting)).Resolve();
        Assert.Equal((cycles, perMember), (spec.Training.Schedule.Cycles, spec.Snapshots?.PerMember));
    }

    [Fact]
    public void An_explicit_number_of_snapshots_overrides_the_datasets_cycles()
    {
        var dataset = JsonNode.Parse("""{"training":{"schedule":{"kind":"cyclic-cosine","cycles":6}}}""")!.AsObject();
        Assert.Equal(6, Resolve("{}", dataset).Snapshots!.PerMember);
        Assert.Equal(2, Resolve("""{"snapshots":{"perMember":2}}""", dataset).Training.Schedule.Cycles);
    }

    [Fact]
    public void The_dataset_is_known_before_its_defaults()
    {
        Assert.Equal("digits", SpecDocument.Empty.Dataset);
        Assert.Equal("fashion-mnist", SpecDocument.Parse("""{"data":{"dataset":"fashion-mnist"}}""").Dataset);
    }

    private static EnsembleSpec Resolve(string text, JsonObject? dataset = null) => SpecDocument.Parse(text).Resolve(dataset);
}
