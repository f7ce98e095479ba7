using DistributedEnsemble.Client.Rendering;
using Spectre.Console;
using Spectre.Console.Testing;

namespace DistributedEnsemble.Client.Tests.Rendering;

public sealed class ResultTableTests
{
    private static readonly PredictionMetrics Mean = new(0.91, 0.321, 0.1, 0.02), Best = new(0.915, 0.3, 0.1, 0.02), Average = new(0.932, 0.2, 0.1, 0.02);

    [Fact]
    public void The_ensemble_stands_beside_the_single_models_with_its_gain() => Assert.Equal(
        """
          test split                  accuracy       NLL
        ──────────────────────────────────────────────────
          mean member                  91.00 %    0.3210
          best member (4)              91.50 %    0.3000
          ensemble of 10               93.20 %    0.2000
          gain over the mean member      +2.20   -0.1210
          gain over the best member      +1.70   -0.1000
        """,
        Print(new SingleModels(Mean, Best, 4)));

    [Fact]
    public void Without_a_validation_split_there_is_no_best_member() =>
        Assert.DoesNotContain("best member", Print(new SingleModels(Mean, null, null)), StringComparison.Ordinal);

    private static string Print(SingleModels single)
    {
        using var console = new TestConsole();
        console.Write(ResultTable.Of(new EvaluationReport
        {
            Run = "digits-1", Members = 10, Constituents = 10, Single = single, Ensemble = Average, Weights = [],
        }));
        return string.Join('\n', console.Lines.Select(line => line.TrimEnd()).Where(line => line.Length > 0));
    }
}
