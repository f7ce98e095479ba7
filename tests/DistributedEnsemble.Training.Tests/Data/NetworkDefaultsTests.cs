using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Images;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Training.Tests.Data;

/// <summary>What is a good learning rate depends on the network, whoever names it.</summary>
public class NetworkDefaultsTests
{
    private static readonly IReadOnlyList<IDatasetSource> s_sources = [.. new DatasetRegistry().Sources, new ImageFolderSource("."), new TableSource("x.csv")];

    public static TheoryData<string, string> All => [.. from source in s_sources from kind in ModelSpec.BuiltInKinds select (source.Name, kind)];

    [Theory]
    [MemberData(nameof(All))]
    public void Every_kind_of_network_has_its_learning_rate_on_every_dataset(string data, string kind)
    {
        var source = s_sources.Single(source => source.Name == data);
        var expected = source is TableSource ? 0.001 : kind == "lenet" ? 0.05 : 0.1;

        Assert.Equal(expected, RateOf($$"""{ "model": { "kind": "{{kind}}" } }"""));
        Assert.Equal(expected, RateOf("""{ "members": 1 }""", ("model.kind", kind)));
        Assert.Equal(expected, RateOf($$"""{ "members": 1, "variants": [{ "model": { "kind": "{{kind}}" } }] }"""));
        Assert.Equal(expected, RateOf($$"""{ "members": 1, "search": { "over": { "model.kind": ["{{kind}}"] } } }"""));
        Assert.Equal(0.7, RateOf($$"""{ "members": 1, "variants": [{ "model": { "kind": "{{kind}}" } }] }""", ("training.schedule.learningRate", "0.7")));

        double RateOf(string spec, params (string, string)[] settings) =>
            SpecDocument.Parse(spec).With(settings).Resolve(source.Defaults).OfMember(0).Training.Schedule.LearningRate;
    }

    /// <summary>At twice the rate three of these ten stay at chance on Fashion-MNIST.</summary>
    [Theory]
    [InlineData("fashion-mnist", 150)]
    [InlineData("digits", 300)]
    public void Every_lenet_learns_real_images_at_its_default(string data, int steps)
    {
        var source = new DatasetRegistry().Resolve(data);
        var folders = new DataFolders();
        if (source.Locate(folders).Found is null) Assert.Skip($"{data} is not installed.");
        using var dataset = source.Load(folders);
        var spec = SpecDocument.Parse("""{ "seed": 2, "model": { "kind": "lenet" }, "logging": { "everySteps": 1 } }""").Resolve(source.Defaults);
        var plan = new TrainingPlan(spec, dataset, new NetworkRegistry());
        foreach (var member in Enumerable.Range(0, spec.Members))
        {
            using var training = new MemberTraining(plan, member);
            var losses = new List<double>();
            while (training.Step < steps) losses.Add(training.Advance()!.Loss);
            // Chance is the logarithm of ten classes, 2.3.
            Assert.InRange(losses.TakeLast(20).Average(), 0, 1.5);
        }
    }
}
