using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Predictions;

/// <summary>The mean of the answers of a network's submodels, summed in their order: they are averaged as members of an ensemble are.</summary>
internal static class SubmodelMean
{
    /// <param name="outputs">[rows, submodels, outputs].</param>
    /// <param name="answers">[rows, width], overwritten.</param>
    public static void Answer(LearningTask task, int submodels, ReadOnlySpan<float> outputs, Span<double> answers)
    {
        if (submodels == 1)
        {
            task.Answer(outputs, answers);
            return;
        }

        var width = submodels * task.Width;
        Span<double> ofSubmodels = width <= 1024 ? stackalloc double[width] : new double[width];
        for (; !answers.IsEmpty; outputs = outputs[(submodels * task.Outputs)..], answers = answers[task.Width..])
        {
            task.Answer(outputs[..(submodels * task.Outputs)], ofSubmodels);
            for (var i = 0; i < task.Width; i++)
            {
                var sum = 0.0;
                for (var place = i; place < ofSubmodels.Length; place += task.Width) sum += ofSubmodels[place];
                answers[i] = sum / submodels;
            }
        }
    }
}
