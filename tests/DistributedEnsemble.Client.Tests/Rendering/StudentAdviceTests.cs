using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Client.Tests.Rendering;

public sealed class StudentAdviceTests
{
    [Theory]
    [InlineData(0.26, """{ "members": 1, "model": { "hidden": [64, 32] } }""", ", for still one forward: --set 'model.hidden=[128,64]' has twice the units.")]
    [InlineData(0.31, """{ "members": 4, "model": { "hidden": [64] } }""", ": --set 'model.hidden=[128]' has twice the units.")]
    [InlineData(0.26, """{ "members": 1, "model": { "kind": "lenet" } }""", ", for still one forward.")]
    public void A_student_that_keeps_less_than_half_is_advised_a_larger_network(double nll, string spec, string more) =>
        Assert.Equal($"the student keeps less than half of its teacher's gain in NLL. A larger network may keep more{more}", Advice(nll, spec));

    [Fact]
    public void A_student_that_keeps_half_and_a_run_without_a_teacher_are_not_advised()
    {
        Assert.Null(Advice(0.25, "{}"));
        Assert.Null(Advice(0.19, "{}"));
        Assert.Null(StudentAdvice.Of(Report(0.5), SpecDocument.Parse("{}").Resolve()));
    }

    [Fact]
    public void Where_a_teacher_is_worse_than_its_members_there_is_no_gain_to_keep() => Assert.Null(Advice(0.1, "{}", teacher: 0.31));

    /// <summary>Of a student whose teacher has members of 0.3.</summary>
    private static string? Advice(double nll, string spec, double teacher = 0.2) =>
        StudentAdvice.Of(Report(nll) with { Teacher = new TeacherMeasures("ten", 10, Measures.Of(("nll", teacher)), Measures.Of(("nll", 0.3))) }, SpecDocument.Parse(spec).Resolve());

    private static EvaluationReport Report(double nll) => new()
    {
        Run = "r", Task = "classification", Members = 1, Constituents = 1, Weights = [], Ensemble = Measures.Of(("nll", nll)),
        Single = new SingleModels(Measures.Of(("nll", nll)), null, null),
    };
}
