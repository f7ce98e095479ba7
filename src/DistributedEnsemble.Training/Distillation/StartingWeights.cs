using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Distillation;

/// <summary>
/// Weights of a teacher's models, from which students go on: these know their data already, and have to learn in what the others
/// differ.
/// </summary>
/// <param name="Values">[models, parameters and then statistics], the best model first.</param>
/// <param name="Models">How many; the students take them in turn.</param>
internal sealed record StartingWeights(NativeVector Values, int Models)
{
    /// <param name="models">Each is loaded, copied and disposed.</param>
    /// <param name="layout">Of all of them.</param>
    public static StartingWeights Of(IReadOnlyCollection<Func<Weights>> models, WeightLayout layout)
    {
        var values = new NativeVector((long)models.Count * (layout.ParameterCount + layout.StatisticCount));
        var place = 0L;
        foreach (var load in models)
        {
            using var weights = load();
            foreach (var part in new[] { weights.Parameters, weights.Statistics }.Where(part => part.Length > 0))
            {
                part.Span.CopyTo(values.Slice(place, (int)part.Length));
                place += part.Length;
            }
        }

        return new StartingWeights(values, models.Count);
    }

    /// <summary>Sets all of a student's weights, which are of the models' layout.</summary>
    public void CopyTo(Weights weights, int student)
    {
        var (parameters, statistics) = ((int)weights.Parameters.Length, (int)weights.Statistics.Length);
        var place = (long)(student % Models) * (parameters + statistics);
        Values.Slice(place, parameters).CopyTo(weights.Parameters.Span);
        if (statistics > 0) Values.Slice(place + parameters, statistics).CopyTo(weights.Statistics.Span);
    }
}
