using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Specs;

/// <summary>What a student learns of its teacher: <c>distillation</c>.</summary>
public sealed record DistillationSpec
{
    private const string Sha256 = @"\A[0-9a-f]{64}\z", Sha256Rule = "it must be 64 hexadecimal digits in lower case";

    [Key("The run whose averaged predictions of the training rows are learned (Hinton et al., 2015).", Pattern = RunName.Expression, Rule = RunName.Rule,
        Absent = "to be given")]
    public string? Teacher { get; init; }

    [Key("How much the teacher's predictions count in the loss; the rest is the labels'.", Range = "[0, 1]")]
    public double Share { get; init; } = 0.7;

    [Key("Classes' probabilities are softened by p ∝ p^(1/T), the teacher's and the student's alike; 1 leaves them.", Range = "[0.1, 100]")]
    public double Temperature { get; init; } = 1;

    [Key("A table of further rows without a target, which the teacher alone labels; they train, and measure nothing.", Pattern = @"\A[^\p{Cc}]{1,1000}\z",
        Rule = "it must be the name of a file, in quotes", Absent = "none")]
    public string? Unlabelled { get; init; }

    [Key("How many mixed rows there are for each training row: each lies between two of them, and the teacher alone labels it (mixup: Zhang et al., 2018).",
        Range = "[0, 100]")]
    public double Mixed { get; init; }

    [Key("Whether the validation rows are learned, too: as the teacher predicts them, without their labels, which go on choosing.")]
    public bool Validation { get; init; }

    [Key("Whether a student begins with the weights of the teacher's model of its own network that is best on the validation rows, the next student with those of the next; else at random.")]
    public bool Warm { get; init; }

    [Key("The sha256 of the teacher's models, each as often as it counts.", Items = "[1, 100000]", Absent = "found when the run begins")]
    public SpecList<string>? Weights { get; init; }

    [Key("The sha256 of the table of further rows.", Pattern = Sha256, Rule = Sha256Rule, Absent = "found when the run begins")]
    public string? UnlabelledSha256 { get; init; }

    [Key("How many rows that table has.", Range = "[1, 2000000000]", Absent = "found when the run begins")]
    public int? UnlabelledRows { get; init; }

    [Key("The sha256 of the teacher's predictions.", Pattern = Sha256, Rule = Sha256Rule, Absent = "found when the run begins")]
    public string? Targets { get; init; }
}
