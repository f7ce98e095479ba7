using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Specs;

public sealed record DistillationSpec
{
    [Key("The run whose averaged predictions of the training rows are learned (Hinton et al., 2015).", Pattern = RunName.Expression, Rule = RunName.Rule,
        Absent = "to be given")]
    public string? Teacher { get; init; }

    [Key("How much the teacher's predictions count in the loss; the rest is the labels'.", Range = "[0, 1]")]
    public double Share { get; init; } = 0.7;

    [Key("Classes' probabilities are softened by p ∝ p^(1/T), the teacher's and the student's alike; 1 leaves them.", Range = "[0.1, 100]")]
    public double Temperature { get; init; } = 1;

    [Key("The sha256 of the teacher's models, each as often as it counts.", Items = "[1, 100000]", Absent = "found when the run begins")]
    public SpecList<string>? Weights { get; init; }

    [Key("The sha256 of the teacher's predictions.", Pattern = @"\A[0-9a-f]{64}\z", Rule = "it must be 64 hexadecimal digits in lower case",
        Absent = "found when the run begins")]
    public string? Targets { get; init; }
}
