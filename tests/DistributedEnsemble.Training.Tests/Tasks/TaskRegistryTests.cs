using System.Text.RegularExpressions;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Tasks;

/// <summary>Tasks of a host's own.</summary>
public sealed class TaskRegistryTests
{
    private sealed record Absolute(double Mean, double Deviation, double Minimum, double Maximum, double Weight) : Regression(Mean, Deviation, Minimum, Maximum)
    {
        public override string Name => "absolute";

        public override double Loss(ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets, Span<float> gradient)
        {
            var loss = 0.0;
            gradient.Clear();
            for (var row = 0; row < targets.Length; row++)
            {
                loss += Weight * Math.Abs(outputs[2 * row] - targets[row]) / targets.Length;
                gradient[2 * row] = (float)(Weight * Math.Sign(outputs[2 * row] - targets[row]) / targets.Length);
            }

            return loss;
        }
    }

    private sealed record Unknown(double Mean) : Regression(Mean, 1, 0, 1);

    [Fact]
    public void A_task_that_was_added_trains_with_its_loss_and_is_read_again_from_the_description_of_the_data()
    {
        _ = DataDescription.Of(Plans.Of(Plans.Number).Dataset, 0).ToJson();
        TaskRegistry.Add<Absolute>("absolute");
        var known = Plans.Of(Plans.Number);
        var task = (Regression)known.Dataset.Task;
        var dataset = WithTask(known.Dataset, new Absolute(task.Mean, task.Deviation, task.Minimum, task.Maximum, 0.5) { Target = "y" });

        var json = DataDescription.Of(dataset, 0).ToJson();
        var read = Assert.IsType<Absolute>(DataDescription.FromJson(json).Task);

        Assert.Equal((0.5, "y", task.Deviation), (read.Weight, read.Target, read.Deviation));
        Assert.Equal(json, DataDescription.Of(WithTask(dataset, read), 0).ToJson());
        var plan = new TrainingPlan(known.Spec, dataset, new NetworkRegistry());
        using var ours = new MemberTraining(plan, 0);
        using var theirs = new MemberTraining(known, 0);
        Assert.IsType<Absolute>(plan.Task);
        Assert.NotEqual(theirs.TrainTo(known, 20), ours.TrainTo(plan, 20));
    }

    [Fact]
    public void A_name_is_one_task_s_and_a_task_has_one_name()
    {
        TaskRegistry.Add<Absolute>("absolute");
        TaskRegistry.Add<Absolute>("absolute");
        Assert.StartsWith($"The task \"regression\" is {typeof(Regression)} already.", Assert.Throws<ArgumentException>(() => TaskRegistry.Add<Absolute>("regression")).Message);
        Assert.StartsWith(
            $"The task \"other\" is {typeof(Absolute)}, which has another name already.", Assert.Throws<ArgumentException>(() => TaskRegistry.Add<Absolute>("other")).Message);
    }

    [Fact]
    public void A_task_that_nobody_added_is_neither_written_nor_read()
    {
        var dataset = Plans.Of(Plans.Number).Dataset;
        Assert.Throws<NotSupportedException>(() => DataDescription.Of(WithTask(dataset, new Unknown(0)), 0).ToJson());
        var json = DataDescription.Of(dataset, 0).ToJson().Replace("\"regression\"", "\"unheard-of\"", StringComparison.Ordinal);

        Assert.Equal(
            $"data.json names the task \"unheard-of\": known here are {string.Join(", ", TaskRegistry.All.Keys)}. A host's own task is known to the program that registered it: ask there.",
            Assert.Throws<DataException>(() => DataDescription.FromJson(json)).Message);
        foreach (var damage in new[] { "\"task\": 5, \"former\": {", "\"task\": { \"name\": 5,", "\"task\": { \"called\": 5," })
            Assert.Equal("data.json is damaged: its task is none.", Assert.Throws<DataException>(() => DataDescription.FromJson(Regex.Replace(json, "\"task\": *\\{(\\s*\"name\": *\"[a-z-]*\",)?", damage))).Message);
    }

    private static Dataset WithTask(Dataset dataset, LearningTask task) => new()
    {
        Name = dataset.Name, Sha256 = dataset.Sha256, InputShape = dataset.InputShape, Columns = dataset.Columns, Task = task,
        Preprocessing = dataset.Preprocessing, Train = dataset.Train, Test = dataset.Test,
    };
}
