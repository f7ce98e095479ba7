using System.Text.Json.Nodes;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble;

public sealed class VariantTests
{
    private static EnsembleSpec Resolve(string spec) => SpecDocument.Parse(spec).Resolve();

    [Fact]
    public void Members_are_given_the_variants_in_turn()
    {
        var spec = Resolve("""{ "members": 5, "variants": [{ "training": { "epochs": 3 } }, { "model": { "kind": "lenet" } }] }""");
        Assert.Equal([3, 10, 3, 10, 3], Enumerable.Range(0, 5).Select(i => spec.OfMember(i).Training.Epochs));
        Assert.Equal(["mlp", "lenet", "mlp", "lenet", "mlp"], Enumerable.Range(0, 5).Select(i => spec.OfMember(i).Model.Kind));
    }

    [Fact]
    public void A_member_without_variants_has_the_runs_spec() =>
        Assert.Same(EnsembleSpecOf("{}", out var spec), spec.OfMember(7));

    [Fact]
    public void A_members_spec_is_that_of_a_run_with_its_keys()
    {
        var spec = Resolve("""{ "seed": 4, "variants": [{ "training": { "optimizer": { "kind": "adam" }, "epochs": 20 }, "regularization": { "dropout": { "rate": 0.2 } } }], "training": { "schedule": { "kind": "step" } } }""");
        Assert.Equal(
            Resolve("""{ "seed": 4, "training": { "optimizer": { "kind": "adam" }, "epochs": 20, "schedule": { "kind": "step" } }, "regularization": { "dropout": { "rate": 0.2 } } }"""),
            spec.OfMember(0));
    }

    [Fact]
    public void A_variant_does_not_depend_on_the_others()
    {
        var alone = Resolve("""{ "variants": [{ "model": { "hidden": [8] } }] }""");
        var beside = Resolve("""{ "variants": [{ "training": { "epochs": 1 } }, { "model": { "hidden": [8] } }] }""");
        Assert.Equal(alone.OfMember(0), beside.OfMember(1));
    }

    [Fact]
    public void A_resolved_spec_is_read_as_it_was_written()
    {
        var spec = Resolve("""{ "variants": [{ "model": { "hidden": [8] } }, { "regularization": { "dropout": null } }, {}] }""");
        Assert.Equal(spec, EnsembleSpec.FromJson(spec.ToJson()));
        Assert.Equal(spec, Resolve(spec.ToJson()));
    }

    [Fact]
    public void A_variant_switches_a_section_off()
    {
        var spec = Resolve("""{ "regularization": { "dropout": {} }, "variants": [{ "regularization": { "dropout": null } }, {}] }""");
        Assert.Null(spec.OfMember(0).Regularization.Dropout);
        Assert.NotNull(spec.OfMember(1).Regularization.Dropout);
    }

    [Theory]
    [InlineData("{}", 10, "mlp, mlp, tabm, mlp, mlp, tabm, mlp, mlp, tabm, mlp")]
    [InlineData("""{ "members": 3 }""", 3, "mlp, mlp, tabm")]
    [InlineData("""{ "members": 2 }""", 2, "mlp, mlp")]
    [InlineData("""{ "members": 1 }""", 1, "mlp")]
    [InlineData("""{ "members": 4, "training": { "epochs": 3 } }""", 4, "mlp, mlp, tabm, mlp")]
    [InlineData("""{ "members": 4, "model": { "hidden": [8] } }""", 4, "mlp, mlp, mlp, mlp")]
    [InlineData("""{ "members": 4, "model": { "numericEmbedding": null } }""", 4, "mlp, mlp, mlp, mlp")]
    [InlineData("""{ "members": 4, "model": { "kind": "tabm" } }""", 4, "tabm, tabm, tabm, tabm")]
    [InlineData("""{ "members": 4, "variants": [] }""", 4, "mlp, mlp, mlp, mlp")]
    [InlineData("""{ "members": 4, "variants": [{ "model": { "kind": "tabm" } }, {}] }""", 4, "tabm, mlp, tabm, mlp")]
    [InlineData("""{ "members": 2, "search": { "over": { "training.epochs": [1, 5] } } }""", 2, "mlp, mlp")]
    public void Members_differ_by_what_a_dataset_brings_only_in_what_the_author_leaves_open(string author, int members, string kinds)
    {
        var dataset = JsonNode.Parse("""{ "model": { "kind": "mlp", "hidden": [4] }, "variants": [{}, {}, { "model": { "kind": "tabm", "submodels": 8 } }] }""");
        var spec = SpecDocument.Parse(author).Resolve(dataset!.AsObject());
        Assert.Equal(kinds, string.Join(", ", Enumerable.Range(0, members).Select(i => spec.OfMember(i).Model.Kind)));
        // Members that are all the same have no variants.
        if (!kinds.Contains("tabm") && spec.Search is null) Assert.Empty(spec.Variants);
        Assert.Equal(spec, EnsembleSpec.FromJson(spec.ToJson()));
    }

    [Theory]
    [InlineData("""{ "variants": [{}, { "model": { "kind": "lenet" } }] }""", 0.2, 0.1)]
    [InlineData("""{ "model": { "kind": "lenet" }, "variants": [{}, { "model": { "kind": "mlp" } }] }""", 0.1, 0.2)]
    [InlineData("""{ "model": { "kind": "lenet" }, "variants": [{}, { "model": { "hidden": [8] } }] }""", 0.1, 0.2)]
    [InlineData("""{ "training": { "schedule": { "learningRate": 0.3 } }, "variants": [{}, { "model": { "kind": "lenet" } }] }""", 0.3, 0.3)]
    [InlineData("""{ "variants": [{}, { "model": { "kind": "lenet" }, "training": { "schedule": { "learningRate": 0.4 } } }] }""", 0.2, 0.4)]
    [InlineData("""{ "variants": [{}, { "model": { "kind": "lenet" }, "training": { "optimizer": { "kind": "adam" } } }] }""", 0.2, 0.001)]
    [InlineData("""{ "model": { "kind": "lenet" }, "training": { "optimizer": { "kind": "adam" } }, "variants": [{}, { "training": { "optimizer": { "kind": "sgd" } } }] }""", 0.001, 0.05)]
    public void A_variant_of_another_kind_of_network_has_that_kind_s_learning_rate(string author, double first, double second)
    {
        var dataset = JsonNode.Parse("""{ "model": { "kind": "mlp" }, "training": { "schedule": { "learningRate": 0.2 } } }""")!.AsObject();
        var spec = SpecDocument.Parse(author).Resolve(dataset);
        Assert.Equal([first, second], [spec.OfMember(0).Training.Schedule.LearningRate, spec.OfMember(1).Training.Schedule.LearningRate]);
        Assert.Equal(spec, SpecDocument.Parse(spec.ToJson()).Resolve(dataset));
        Assert.Equal(spec, EnsembleSpec.FromJson(spec.ToJson()));
    }

    /// <summary>Members of runs from before go on as they began: their specs say no learning rate of a variant's own.</summary>
    [Fact]
    public void A_variant_that_a_former_program_recorded_keeps_the_learning_rate_that_it_had()
    {
        var spec = Resolve("""{ "training": { "optimizer": { "kind": "adam" } }, "variants": [{}, { "model": { "kind": "lenet" }, "training": { "optimizer": { "kind": "sgd" } } }, { "model": { "kind": "lenet" } }] }""");
        var former = EnsembleSpec.FromJson(System.Text.RegularExpressions.Regex.Replace(spec.ToJson(), """,\s*"schedule": \{\s*"learningRate": 0.05\s*\}""", ""));
        Assert.Equal(0.05, spec.OfMember(1).Training.Schedule.LearningRate);
        Assert.Equal([0.1, 0.001], [former.OfMember(1).Training.Schedule.LearningRate, former.OfMember(2).Training.Schedule.LearningRate]);
    }

    [Theory]
    [InlineData("""[{}, {}, { "training": { "optimzer": {} } }]""", "variants[2].training.optimzer is an unknown key: did you mean training.optimizer?")]
    [InlineData("""[{ "epoch": 2 }]""", "variants[0].epoch is an unknown key: did you mean training.epochs?")]
    [InlineData("""[{}, { "training": { "epochs": 0 } }]""", "variants[1].training.epochs is 0: it must be a whole number from 1 to 1000000.")]
    [InlineData("""[{ "model": { "hidden": [64, 0] } }]""", "variants[0].model.hidden[1] is 0: it must be a whole number from 1 to 1000000.")]
    [InlineData("""[{}, { "seed": 2 }]""", "variants[1].seed is 2: all members of a run share it (set it for the run, beside the variants).")]
    [InlineData("""[{ "data": { "target": "price" } }]""", "variants[0].data.target is \"price\": all members of a run share it (set it for the run, beside the variants).")]
    [InlineData("""[{ "averaging": { "decay": 0.9 } }]""", "variants[0].averaging is one for all members of a run (set it for the run, beside the variants).")]
    [InlineData("""[{ "prediction": { "select": "greedy" } }]""", "variants[0].prediction.select is \"greedy\": all members of a run share it (set it for the run, beside the variants).")]
    [InlineData("""[{ "variants": [] }]""", "variants[0].variants is []: all members of a run share it (set it for the run, beside the variants).")]
    [InlineData("""[{ "model": { "kind": "lenet", "hidden": [3] } }]""", "variants[0].model.hidden is [3]: this key belongs to mlp and tabm, and model.kind is lenet (leave the key out, or choose mlp or tabm).")]
    [InlineData("""[{ "model": { "kind": "lnet" } }]""", "variants[0].model.kind is \"lnet\": it must be mlp, tabm, lenet or resnet (did you mean lenet?).")]
    [InlineData("""[{ "training": { "optimizer": { "kind": "adam" } }, "regularization": { "weightDecay": 0.1 } }]""", "variants[0].regularization.weightDecay is 0.1: it is decoupled, which makes adamw of adam, and training.optimizer.kind is adam (choose adamw; or set regularization.l2, the coupled form, to half of PyTorch's weight_decay, and weightDecay to 0).")]
    [InlineData("""[3]""", "variants[0] is 3: it must be a partial spec in braces, as in {\"model\": {\"hidden\": [64]}}.")]
    [InlineData("""{}""", "variants is {}: it must be a list of 0 to 1000 partial specs, as in [{\"model\": {\"hidden\": [64]}}].")]
    [InlineData("""[{},{},{},{},{},{},{},{},{},{},{}]""", "variants has 11 partial specs, and members is 10: variant 10 and those after it would be nobody's (take more members, or fewer variants).")]
    public void What_is_wrong_with_a_variant_is_told_with_its_number(string variants, string error) => Assert.Equal(
        error, Assert.Throws<SpecException>(() => SpecDocument.Empty.With("variants", variants).Resolve()).Message);

    private static EnsembleSpec EnsembleSpecOf(string text, out EnsembleSpec spec) => spec = Resolve(text);
}
