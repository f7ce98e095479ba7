using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Distillation;
using DistributedEnsemble.Training.Files;

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
        var student = Student(teacher, settings, new FashionMnist(), [1, 28, 28], rows: 60_000);
        Assert.Equal((learningRate, weightDecay), (student.Training.Schedule.LearningRate, student.Regularization.WeightDecay));
    }

    /// <summary>As many steps with either: sixteen mixed rows make an epoch 3.4 times as long as four do.</summary>
    [Theory]
    [InlineData(1437, 8, "", 16, 9)]
    [InlineData(1437, 8, "model.kind=mlp", 16, 18)]
    [InlineData(1437, 8, "training.epochs=7", 16, 7)]
    [InlineData(1437, 8, "distillation.mixed=2", 2, 30)]
    [InlineData(1437, 8, "data.folds=3", 0, 30)]
    [InlineData(100_000, 64, "", 4, 30)]
    public void Few_images_are_mixed_more_often_in_fewer_epochs(long rows, long side, string settings, double mixed, int epochs)
    {
        var student = Student("{}", settings, new Digits(), [1, side, side], rows);
        Assert.Equal((mixed, epochs), (student.Distillation!.Mixed, student.Training.Epochs));
    }

    [Fact]
    public void Rows_of_tables_are_mixed_four_times() =>
        Assert.Equal((4, 30), (Student("{}", "", new TwoMoons(), [2], 1600).Distillation!.Mixed, Student("{}", "", new TwoMoons(), [2], 1600).Training.Epochs));

    private static EnsembleSpec Student(string teacher, string settings, IDatasetSource source, long[] shape, long rows)
    {
        using var digits = new Digits().Load(new DataFolders());
        var data = DataDescription.Of(digits, 0) with { InputShape = shape, Splits = new SplitSizes(rows, 0, 0) };
        var resolved = SpecDocument.Parse(teacher).With("data.dataset", source.Name).Resolve(source.Defaults);
        return StudentSpec.Of(
            new RunDescription(resolved, data), "teacher", "student", 1, [.. settings.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(SpecDocument.ParseSetting)]).Resolve(source.Defaults);
    }
}
