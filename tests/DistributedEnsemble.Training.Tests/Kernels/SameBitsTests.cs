using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Training.Tests.Kernels;

/// <summary>What kernels of our own promise: the same bits on every machine, and nothing else in the step.</summary>
public sealed class SameBitsTests
{
    private const string Lenet = """
        {
          "data": { "dataset": "digits" }, "model": { "kind": "lenet" },
          "training": { "epochs": 1, "batchSize": 400, "optimizer": { "kind": "adam" }, "schedule": { "kind": "cosine", "learningRate": 0.001 } },
          "regularization": { "dropout": { "rate": 0.2, "kind": "vanilla" } }
        }
        """;

    private const string Resnet = """
        {
          "data": { "dataset": "digits" }, "model": { "kind": "resnet", "depth": 8, "width": 4 },
          "training": { "epochs": 1, "batchSize": 400, "optimizer": { "kind": "adamw" }, "schedule": { "kind": "constant", "learningRate": 0.001 } },
          "regularization": { "weightDecay": 0.01 }
        }
        """;

    /// <summary>
    /// Whoever changes one of these changes <see cref="Training.Kernels.KernelVersion"/>: old runs do not go on exactly. How a table is
    /// read is the exception: a run that goes on reads its columns as its data.json says.
    /// </summary>
    private static readonly string[] s_golden =
    [
        "70b32dbd842c11bafbe5f04048af2728f5e508f08670b5822df43089d8d75826",
        "89ec3bae9a80a4b76b23d6a3b3afea892368692f1821a715442dc447053185a6",
        "fc148ad7d24922fb02831052a3490a4bc1ea4123bf4387a27dc51544c8d252cf",
        "6a145cb490957182ca0a1877f848b357c9a15a2eeb5ba4f2cba482953324093b",
        "eb5f956a7c9391fa04ce0a4b2e9e19c8a8c4d13a355735d2f52541dc84e1121a",
    ];

    [Theory]
    [InlineData]
    [InlineData("DOTNET_EnableAVX512=0", "DOTNET_EnableAVX512F=0")]
    [InlineData("DOTNET_EnableAVX2=0")]
    [InlineData("DOTNET_EnableHWIntrinsic=0")]
    public async Task A_run_of_each_network_ends_with_the_weights_that_it_always_had(params string[] switches) =>
        Assert.Equal(s_golden, await OtherProcess.TrainAsync([Plans.Small, Lenet, Resnet, MixedSpecs.TabMClass, MixedSpecs.TabMNumber], switches));

    [Fact]
    public async Task Training_and_predicting_load_no_libtorch()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "a process says what it has loaded in /proc");

        var libraries = await OtherProcess.LibrariesAsync(Plans.Small);

        Assert.Contains("libcoreclr.so", libraries);
        Assert.DoesNotContain(libraries, name => name.Contains("torch", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void The_version_of_libtorch_is_that_which_would_be_loaded() => Assert.Equal(TorchSharp.torch.__version__, ThisMachine.Describe().Libtorch);

    [Theory]
    [InlineData("mlp", 1)]
    [InlineData("mlp", 1, "adam")]
    [InlineData("mlp", 1, "adamw", "regularization.weightDecay=0.01")]
    [InlineData("mlp", 1, "sgd", "averaging.decay=0.99")]
    [InlineData("mlp", 1, "sgd", "regularization.dropout.repeats=3")]
    [InlineData("mlp", 1, "sgd", "training.classWeights=balanced")]
    [InlineData("mlp of a number", 1)]
    [InlineData("mlp of a number", 1, "adam", "training.likelihood=squared-error")]
    [InlineData("mlp of columns", 1)]
    [InlineData("lenet", 1, "sgd")]
    [InlineData("lenet", 1, "adam", "regularization.dropout.spatial=true")]
    [InlineData("lenet", 2)]
    [InlineData("resnet", 1)]
    [InlineData("resnet", 1, "sgd", "regularization.weightDecay=0", "regularization.dropout.rate=0.2")]
    [InlineData("tabm", 1)]
    [InlineData("tabm of a number", 1)]
    public void A_thousand_steps_allocate_nothing(string kind, int threads, string? optimizer = null, params string[] settings)
    {
        var json = kind switch
        {
            "mlp" => Plans.Small,
            "mlp of a number" => Plans.Number,
            "mlp of columns" => MixedSpecs.Class,
            "lenet" => Lenet,
            "tabm" => MixedSpecs.TabMClass,
            "tabm of a number" => MixedSpecs.TabMNumber,
            _ => Resnet,
        };
        var plan = Plans.Of(json, [
            ("threadsPerMember", $"{threads}"), ("training.batchSize", "16"), ("training.epochs", "1000"), ("logging.everySteps", "1000000"),
            .. optimizer is null ? [] : new[] { ("training.optimizer.kind", optimizer) }, .. settings.Select(setting => (setting.Split('=')[0], setting.Split('=')[1]))]);
        using var training = new MemberTraining(plan, 0);
        for (var i = 0; i < 100; i++) training.Advance();

        var vectors = Training.Kernels.NativeVector.MadeByThisThread;
        // A garbage collection that other threads cause takes the rest of this thread's block, and counts it as allocated: what
        // the steps allocate themselves is the least that is seen.
        var allocated = Enumerable.Range(0, 3).Min(_ => AllocatedIn(() =>
        {
            for (var i = 0; i < 1000; i++) training.Advance();
        }));

        Assert.Equal(3100, training.Step);
        Assert.Equal(0, allocated);
        Assert.Equal(vectors, Training.Kernels.NativeVector.MadeByThisThread);
    }

    private static long AllocatedIn(Action steps)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        steps();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
