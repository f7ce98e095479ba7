using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Serving.Tests;

internal static class ServedModels
{
    public static ServedModel Of(long[] inputShape, LearningTask task, int members) => new([.. inputShape], task.Name, [.. task.Predictions], members)
    {
        MemberOutputs = [.. task.MemberPredictions],
        Size = new PredictionSize((int)inputShape.Aggregate((product, size) => product * size), task.Width, PredictionSource.Final, "all", 1, 0),
    };

    public static ServedModel Of(long[] inputShape, string[] classes, int members) => Of(inputShape, new Classification(classes), members);
}
