using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>A set of experiments on one dataset. Every number in it was chosen beforehand; the test split chooses nothing.</summary>
public sealed record Suite(
    string Name, IDatasetSource Source, int Seeds, IReadOnlyList<Arm> Arms, IReadOnlyList<Subject> Subjects,
    IReadOnlyList<Comparison> Comparisons, IReadOnlyList<SizeCurve> Curves)
{
    /// <summary>Members of a whole ensemble.</summary>
    public const int Members = 10;

    /// <summary>Runs of a technique that needs one run only; their mean is one seed's number.</summary>
    public const int Repeats = 3;

    private const int Cycles = 5;
    private const int Masks = 50;

    /// <summary>Fashion-MNIST with an MLP of 256 hidden units, and with LeNet.</summary>
    public static Suite Full { get; } = Create(
        "fashion-mnist", new FashionMnist(), seeds: 4, epochs: 12, stepsPerEpoch: 422, batchSize: 128, hidden: 256, rate: 0.1, leNetRate: 0.05);

    /// <summary>The digits, in less than two minutes.</summary>
    public static Suite Quick { get; } = Create(
        "digits", new Digits(), seeds: 3, epochs: 20, stepsPerEpoch: 40, batchSize: 32, hidden: 64, rate: 0.05, leNetRate: 0.05);

    public Subject Subject(string name) => Subjects.Single(subject => subject.Name == name);

    public Arm Arm(string name) => Arms.Single(arm => arm.Name == name);

    private static Suite Create(
        string name, IDatasetSource source, int seeds, int epochs, int stepsPerEpoch, int batchSize, int hidden, double rate, double leNetRate)
    {
        // The EMA's time constant is one epoch: long enough to average, short enough to forget the beginning.
        var averaging = FormattableString.Invariant($"\"averaging\": {{ \"decay\": {Math.Round(1 - 1.0 / stepsPerEpoch, 4)}, \"everySteps\": 5 }}");
        Arm[] arms =
        [
            new("base", Spec("cosine", extra: averaging), Members),
            new("wide", Spec("cosine", units: Members * hidden), 1),
            new("constant", Spec("constant", extra: averaging), Repeats),
            new("cyclic", Spec("cyclic-cosine", extra: averaging), Repeats),
            new("l2", Spec("cosine", regularization: "\"l2\": 1e-4"), Repeats),
            // 2λ/(1−momentum): the same pull on a weight as L2 with λ = 1e-4.
            new("weight-decay", Spec("cosine", regularization: "\"weightDecay\": 2e-3"), Repeats),
            new("dropout", Spec("cosine", regularization: "\"dropout\": { \"rate\": 0.5 }"), Repeats, Masks),
            new("vanilla-dropout", Spec("cosine", regularization: "\"dropout\": { \"rate\": 0.5, \"kind\": \"vanilla\" }"), Repeats),
            new("everything", Spec("cyclic-cosine", "\"l2\": 1e-4, \"dropout\": { \"rate\": 0.2 }", averaging), Members, Masks),
            new("lenet", Spec("cosine", model: "\"kind\": \"lenet\"", learningRate: leNetRate), Members),
        ];
        return new Suite(name, source, seeds, arms, SuiteSubjects.All, SuiteSubjects.Comparisons, SuiteSubjects.Curves);

        string Spec(
            string schedule, string regularization = "", string extra = "", int? units = null, string? model = null, double? learningRate = null) =>
            $$"""
            {
              "model": { {{model ?? $"\"kind\": \"mlp\", \"hidden\": [{units ?? hidden}]"}} },
              "training": {
                "epochs": {{epochs}}, "batchSize": {{batchSize}}, "optimizer": { "kind": "sgd", "momentum": 0.9 },
                "schedule": { "kind": "{{schedule}}", "learningRate": {{learningRate ?? rate}} }
              },
              "regularization": { {{regularization}} },
              "snapshots": { "perMember": {{Cycles}} },
              {{extra}}{{(extra == "" ? "" : ",")}}
              "logging": { "everySteps": 10 }
            }
            """;
    }
}

/// <summary>The error of an ensemble against its size.</summary>
/// <param name="Arm">Whose members' final models are averaged.</param>
public sealed record SizeCurve(string Title, string Arm);
