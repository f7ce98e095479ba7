using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Distillation;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Images;
using DistributedEnsemble.Training.Tables;

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

    /// <summary>What the teacher's author chose is meant for the student, too, whatever network or schedule it has.</summary>
    [Theory]
    [InlineData("""{ "training": { "schedule": { "learningRate": 0.3 } } }""", "model.kind=lenet", 0.3)]
    [InlineData("""{ "training": { "schedule": { "learningRate": 0.3 } } }""", "training.schedule.kind=constant", 0.3)]
    [InlineData("""{ "training": { "schedule": { "learningRate": 0.3 } } }""", "training.optimizer.kind=adam", 0.001)]
    [InlineData("""{ "model": { "kind": "lenet" } }""", "training.schedule.kind=constant", 0.05)]
    [InlineData("""{ "model": { "kind": "lenet" }, "training": { "schedule": { "learningRate": 0.1 } } }""", "", 0.1)]
    [InlineData("""{ "model": { "kind": "lenet" }, "training": { "schedule": { "learningRate": 0.1 } } }""", "model.kind=mlp", 0.1)]
    public void A_learning_rate_that_the_teacher_s_author_chose_is_its_student_s(string teacher, string settings, double learningRate) =>
        Assert.Equal(learningRate, Student(teacher, settings, new FashionMnist(), [1, 28, 28], rows: 60_000).Training.Schedule.LearningRate);

    [Theory]
    [InlineData("{}", 0.05)]
    [InlineData("""{ "training": { "schedule": { "learningRate": 0.3 } } }""", 0.3)]
    public void Variants_and_searches_of_students_have_each_kind_s_own_rate_unless_one_was_chosen(string teacher, double lenets)
    {
        var varied = Student(teacher, """variants=[{"model":{"kind":"lenet"}}]""", new FashionMnist(), [1, 28, 28], rows: 60_000);
        var searched = Student(teacher, """search.over={"model.kind":["lenet"]}""", new FashionMnist(), [1, 28, 28], rows: 60_000);
        Assert.All([varied, searched], student => Assert.Equal(lenets, student.OfMember(0).Training.Schedule.LearningRate));
    }

    /// <summary>A student's spec leaves out the rate that its teacher's kind of network brings: no dataset brings another.</summary>
    [Fact]
    public void Each_dataset_brings_the_learning_rate_of_its_kind_of_network() =>
        Assert.All([.. new DatasetRegistry().Sources, new ImageFolderSource("images"), new TableSource("x.csv")], source =>
        {
            var spec = SpecDocument.Empty.With("data.dataset", source.Name).Resolve(source.Defaults);
            Assert.Equal(SpecDefaults.LearningRateOf(spec.Model.Kind, spec.Training.Optimizer.Kind), spec.Training.Schedule.LearningRate);
        });

    /// <summary>The rate drops after the same shares of the training.</summary>
    [Theory]
    [InlineData("""{ "training": { "schedule": { "kind": "step" } } }""", "", 9, new[] { 4, 6 })]
    [InlineData("""{ "training": { "schedule": { "kind": "step", "milestones": [10, 20, 21] } } }""", "", 9, new[] { 3, 6 })]
    [InlineData("""{ "training": { "schedule": { "kind": "step", "milestones": [1, 20] } } }""", "", 9, new[] { 1, 6 })]
    [InlineData("""{ "training": { "schedule": { "kind": "step", "milestones": [10, 20] } } }""", "training.epochs=60", 60, new[] { 20, 40 })]
    [InlineData("""{ "training": { "schedule": { "kind": "step", "milestones": [10, 20] } } }""", "training.schedule.milestones=[5]", 9, new[] { 5 })]
    [InlineData("{}", "training.schedule.kind=step", 9, new[] { 4, 6 })]
    [InlineData("""{ "training": { "schedule": { "kind": "step" } } }""", "training.schedule.kind=cosine", 9, null)]
    public void Milestones_follow_a_student_s_epochs(string teacher, string settings, int epochs, int[]? milestones)
    {
        var training = Student(teacher, settings, new Digits(), [1, 8, 8], 1437).Training;
        Assert.Equal(epochs, training.Epochs);
        Assert.Equal(milestones, training.Schedule.Milestones);
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
