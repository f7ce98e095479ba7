using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>What a prediction takes of memory inside, beside the request and its answer, as known before anything is computed.</summary>
/// <param name="Count">Models that answer, at most.</param>
/// <param name="Bytes">At most; as many as can be counted if there are more.</param>
internal readonly record struct PredictionMemory(long Count, long Bytes)
{
    public static PredictionMemory Of(ServedModel model, InferRequest request)
    {
        var (size, choice) = (model.Size, request.Parameters.Choice);
        var kept = (choice.From ?? size.From) switch
        {
            PredictionSource.Final => 1,
            PredictionSource.Snapshots => size.Snapshots,
            PredictionSource.Ema => size.Ema,
        };
        var models = (long)Math.Min(kept, ChosenConstituents.MostPerMember(choice.Select ?? size.Select) ?? kept) * Math.Clamp(choice.Members ?? model.Members, 0, model.Members);
        // The answers of all models at once, and three means of them: the sum, its quotient and the request's part.
        var numbers = (Int128)size.AnswerWidth * (models + 3);
        // A row is prepared once, and one of a table is encoded before.
        var inputs = (Int128)size.InputWidth * (model.Columns.IsEmpty ? 1 : 2);
        var ofMembers = request.Outputs.Any(output => output.Tensor.IsPerMember) ? model.MemberOutputs.Sum(output => output.Width) * (Int128)model.Members : 0;
        var outputs = model.Outputs.Sum(output => output.Width) + ofMembers;
        return new PredictionMemory(models, long.CreateSaturating(request.RowCount * ((sizeof(double) * (numbers + outputs)) + (sizeof(float) * inputs))));
    }
}
