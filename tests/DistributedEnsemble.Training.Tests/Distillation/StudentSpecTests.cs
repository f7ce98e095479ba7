using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Distillation;

namespace DistributedEnsemble.Training.Tests.Distillation;

public sealed class StudentSpecTests
{
    [Theory]
    [InlineData("{}", "", 0.1, 0)]
    [InlineData("{}", "model.hidden=[8]", 0.1, 0)]
    [InlineData("{}", "model.kind=lenet", 0.05, 0)]
    [InlineData("{}", """model={"kind":"lenet"}""", 0.05, 0)]
    [InlineData("{}", "model.kind=lenet training.schedule.learningRate=0.3", 0.3, 0)]
    [InlineData("""{ "model": { "kind": "lenet" } }""", "", 0.05, 0)]
    [InlineData("""{ "model": { "kind": "lenet" } }""", "model.kind=lenet", 0.05, 0)]
    [InlineData("""{ "model": { "kind": "lenet" } }""", "model.kind=mlp", 0.1, 0)]
    [InlineData("{}", "training.optimizer.kind=adam", 0.001, 0)]
    [InlineData("""{ "training": { "optimizer": { "kind": "adamw" } }, "regularization": { "weightDecay": 0.3 } }""", "training.optimizer.kind=adam", 0.001, 0)]
    [InlineData("""{ "training": { "optimizer": { "kind": "adamw" } }, "regularization": { "weightDecay": 0.3 } }""", "training.optimizer.kind=adamw", 0.001, 0.3)]
    public void A_student_of_another_kind_has_that_kind_s_learning_rate(string teacher, string settings, double learningRate, double weightDecay)
    {
        var defaults = new FashionMnist().Defaults;
        var resolved = SpecDocument.Parse(teacher).With("data.dataset", "fashion-mnist").Resolve(defaults);
        var student = StudentSpec.Of(resolved, "teacher", "student", 1, [.. settings.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(SpecDocument.ParseSetting)]).Resolve(defaults);
        Assert.Equal((learningRate, weightDecay), (student.Training.Schedule.LearningRate, student.Regularization.WeightDecay));
    }
}
