using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Predictions;
using Spectre.Console;
using Spectre.Console.Testing;

namespace DistributedEnsemble.Client.Tests.Rendering;

public sealed class ResultTableTests
{
    private static readonly Measures Mean = Of(0.91, 0.321), Best = Of(0.915, 0.3), Average = Of(0.932, 0.2);

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

    [Fact]
    public void A_regression_is_shown_by_its_error_in_the_targets_units()
    {
        var mean = Measures.Of(("rmse", 3100.5), ("mae", 2000), ("nll", 9.5));
        var report = new EvaluationReport
        {
            Run = "r", Task = "regression", Members = 5, Constituents = 5, Single = new SingleModels(mean, null, null), Weights = [],
            Ensemble = Measures.Of(("rmse", 3000.25), ("mae", 1900), ("nll", 9.25)),
        };

        Assert.Equal(
            """
              test split                     RMSE       NLL
            ─────────────────────────────────────────────────
              mean member                 3100.50    9.5000
              ensemble of 5               3000.25    9.2500
              gain over the mean member   -100.25   -0.2500
            """,
            Print(report));
    }

    [Fact]
    public void One_model_alone_is_shown_once_beside_its_teacher()
    {
        var report = new EvaluationReport
        {
            Run = "r", Task = "classification", Members = 1, Constituents = 1, Single = new SingleModels(Best, Best, 0), Weights = [], Ensemble = Best,
            Teacher = new TeacherMeasures("ten", 10, Average, Mean),
        };

        Assert.Equal(
            """
              test split                    accuracy      NLL
            ───────────────────────────────────────────────────
              the model                      91.50 %   0.3000
              teacher ten, ensemble of 10    93.20 %   0.2000
              teacher's mean member          91.00 %   0.3210
              kept of the teacher's gain        23 %     17 %
            """,
            Print(report));
    }

    private static Measures Of(double accuracy, double nll) => Measures.Of(("accuracy", accuracy), ("nll", nll), ("brier", 0.1));

    private static string Print(SingleModels single)
    {
        return Print(new EvaluationReport
        {
            Run = "digits-1", Task = "classification", Members = 10, Constituents = 10, Single = single, Ensemble = Average, Weights = [],
        });
    }

    private static string Print(EvaluationReport report)
    {
        using var console = new TestConsole();
        console.Write(ResultTable.Of(report));
        return string.Join('\n', console.Lines.Select(line => line.TrimEnd()).Where(line => line.Length > 0));
    }
}
