using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Client.Tests.Rendering;

public sealed class StudentAdviceTests
{
    [Theory]
    [InlineData(0.26, """{ "model": { "hidden": [64, 32] } }""", ": --set 'model.hidden=[128,64]' has twice the units.")]
    [InlineData(0.31, """{ "model": { "hidden": [64] } }""", ": --set 'model.hidden=[128]' has twice the units.")]
    [InlineData(0.26, """{ "model": { "kind": "lenet" } }""", ".")]
    public void A_student_that_keeps_less_than_half_is_advised_a_larger_network(double nll, string spec, string more) =>
        Assert.Equal($"the student keeps less than half of its teacher's gain in NLL. A larger network may keep more, for still one forward{more}", Advice(nll, spec));

    [Fact]
    public void A_student_that_keeps_half_and_a_run_without_a_teacher_are_not_advised()
    {
        Assert.Null(Advice(0.25, "{}"));
        Assert.Null(Advice(0.19, "{}"));
        Assert.Null(StudentAdvice.Of(Report(0.5), SpecDocument.Parse("{}").Resolve()));
    }

    /// <summary>Of a student whose teacher has an NLL of 0.2 and members of 0.3.</summary>
    private static string? Advice(double nll, string spec) =>
        StudentAdvice.Of(Report(nll) with { Teacher = new TeacherMeasures("ten", 10, Measures.Of(("nll", 0.2)), Measures.Of(("nll", 0.3))) }, SpecDocument.Parse(spec).Resolve());

    private static EvaluationReport Report(double nll) => new()
    {
        Run = "r", Task = "classification", Members = 1, Constituents = 1, Weights = [], Ensemble = Measures.Of(("nll", nll)),
        Single = new SingleModels(Measures.Of(("nll", nll)), null, null),
    };
}
