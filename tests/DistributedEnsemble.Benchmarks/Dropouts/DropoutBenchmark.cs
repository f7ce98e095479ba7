using DistributedEnsemble.Reports.Experiments;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Benchmarks.Dropouts;

/// <summary>
/// LeNet or a residual network on few small images, where dropout is of use: of dense layers alone, of channels, and with every batch
/// repeated under several masks, by weight scaling and by Monte-Carlo dropout. Single models, that start alike and see the same
/// batches in all kinds.
/// </summary>
/// <param name="network">lenet or resnet.</param>
internal sealed class DropoutBenchmark(string network)
{
    private const int Every = 10, Epochs = 15, Members = 2, Masks = 10, Plain = 1;
    private const int Depth = 8, Width = 16;

    private static readonly (string Name, string Dropout)[] s_kinds =
    [
        ("none", "null"),
        ("of dense layers", """{ "rate": 0.2 }"""),
        ("of channels, too", """{ "rate": 0.2, "spatial": true }"""),
        ("of dense layers, 4 repeats", """{ "rate": 0.2, "repeats": 4 }"""),
        ("of channels, too, 4 repeats", """{ "rate": 0.2, "spatial": true, "repeats": 4 }"""),
    ];

    /// <param name="seed">From 1.</param>
    public DropoutSeed Train(string? data, int seed)
    {
        var begun = TimeProvider.System.GetTimestamp();
        IDatasetSource source = network == "lenet" ? new FashionMnist() : new Digits();
        using var all = source.Load(new DataFolders(data));
        var every = network == "lenet" ? Every : 1;
        using var few = new Dataset
        {
            Name = all.Name, Sha256 = all.Sha256, InputShape = all.InputShape, Columns = all.Columns, Task = all.Task, Preprocessing = all.Preprocessing,
            Train = all.Train.Rows([.. Enumerable.Range(0, (int)all.Train.Count / every).Select(row => row * every)]), Test = all.Test,
        };
        Arm[] arms = [.. s_kinds.Select(kind => new Arm(kind.Name, Spec(kind.Dropout), Members, kind.Dropout == "null" ? 0 : Masks))];
        var suite = new Suite("dropout", source, 1, arms, [], [], []);
        var models = SeedModels.Train(
            suite, few, (ulong)seed, (arm, member) => Console.Error.WriteLine($"seed {seed}, {arm.Name}, member {member}"), CancellationToken.None);
        return new DropoutSeed(
            seed, TimeProvider.System.GetElapsedTime(begun).TotalMinutes,
            [.. arms.Select(arm => new DropoutMeasures(Mean(models, arm, model => model.Scaled), Mean(models, arm, model => model.Sampled)))]);
    }

    public DropoutResults Results(IReadOnlyList<DropoutSeed> seeds, string command) => new(
        command, $"{DateTime.UtcNow:yyyy-MM-dd}", ThisMachine.Describe(), seeds.Sum(seed => seed.Minutes),
        (network == "lenet"
            ? $"LeNet on every tenth training row of Fashion-MNIST, {Epochs} epochs with batches of 64, dropout of 0.2, tested on all 10,000 test rows; "
            : $"A residual network of {Depth} layers and {Width} channels at first, whose dense layer is the last one, on the digits, {Epochs} epochs with batches of 64, dropout of 0.2, tested on the 360 digits of other writers; ")
        + $"{seeds.Count} seeds with {Members} single models each.",
        Masks, [.. s_kinds.Select((kind, i) => Result(seeds, i))]) { Network = network };

    private static Measure Mean(SeedModels models, Arm arm, Func<ModelAnswers, Answers> answers) =>
        Measure.Mean([.. models[arm.Name].Select(member => Measure.Of(models.Splits, answers(member.Snapshots[^1])))]);

    private static DropoutResult Result(IReadOnlyList<DropoutSeed> seeds, int kind)
    {
        var (name, dropout) = s_kinds[kind];
        var repeats = dropout.Contains("repeats", StringComparison.Ordinal) ? 4 : 1;
        return new DropoutResult(
            name, dropout, repeats, Of(each => each.Scaled.Error), Of(each => each.Scaled.Nll), Of(each => each.Sampled.Nll),
            Change(each => each.Scaled.Error), Change(each => each.Scaled.Nll), Change(each => each.Sampled.Nll));

        Estimate Of(Func<DropoutMeasures, double> measure) => Estimate.Of([.. seeds.Select(seed => measure(seed.Kinds[kind]))]);
        Estimate? Change(Func<DropoutMeasures, double> measure) =>
            kind == Plain ? null : Estimate.Of([.. seeds.Select(seed => measure(seed.Kinds[kind]) - measure(seed.Kinds[Plain]))]);
    }

    private string Spec(string dropout) => $$"""
        {
          "model": { "kind": "{{network}}"{{(network == "resnet" ? $", \"depth\": {Depth}, \"width\": {Width}" : "")}} },
          "training": {
            "epochs": {{Epochs}}, "batchSize": 64, "optimizer": { "kind": "sgd", "momentum": 0.9 },
            "schedule": { "kind": "cosine", "learningRate": 0.05 }
          },
          "regularization": { "dropout": {{dropout}} }
        }
        """;
}

/// <summary>What one seed gave.</summary>
/// <param name="Kinds">Of dropout, in the order of the page.</param>
internal sealed record DropoutSeed(int Seed, double Minutes, IReadOnlyList<DropoutMeasures> Kinds);

/// <summary>The mean single model by weight scaling, and by Monte-Carlo dropout.</summary>
internal sealed record DropoutMeasures(Measure Scaled, Measure Sampled);
