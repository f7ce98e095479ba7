using System.Globalization;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>Regression at the protocol of Lakshminarayanan et al., 2017, table 1, beside what that table says.</summary>
/// <param name="Seconds">All of it.</param>
public sealed record RegressionResults(
    string Command, string Date, MachineInfo Machine, double Seconds, string Spec, IReadOnlyList<RegressionResult> Datasets) : IPageSection
{
    /// <summary>In the folder of the experiments.</summary>
    public const string File = "uci.json";

    private static readonly JsonSerializerOptions s_json = new(RunStatusJson.Options) { WriteIndented = true, NewLine = "\n" };

    public string ToJson() => JsonSerializer.Serialize(this, s_json) + "\n";

    /// <returns>Null if the folder has none.</returns>
    public static RegressionResults? Find(string folder) => Path.Combine(folder, File) is var path && System.IO.File.Exists(path)
        ? JsonSerializer.Deserialize<RegressionResults>(System.IO.File.ReadAllText(path), s_json)
        : null;

    void IPageSection.WriteTo(StringBuilder page, string name)
    {
        page.Append(CultureInfo.InvariantCulture, $"""

            ## Regression: the protocol of deep ensembles

            Written by `{Command}` on {Date}, from [{File}]({name}/{File}), in {Seconds:0} s on {Machine.Cpu} ({Machine.InstructionSet}). The published splits of
            Hernández-Lobato and Adams (2015), 20 of each dataset; five members of one hidden layer with 50 relu units, 40 epochs with batches of 100 and
            Adam at the fixed rate that stands in the data, without the adversarial examples of the paper and without any validation split. (With 0.1,
            the rate that the paper names for its networks in general, energy and yacht do not reach the paper's errors.) Numbers are means over the splits
            ± their standard error, in the target's units; "paper" is table 1 of Lakshminarayanan et al., 2017. Agreement means that the two intervals
            of two standard errors overlap or that ours is smaller.

            | dataset | rows | RMSE | RMSE, single model | RMSE, paper | NLL | NLL, single model | NLL, paper | agrees |
            |---|--:|--:|--:|--:|--:|--:|--:|---|

            """);
        foreach (var dataset in Datasets)
        {
            page.Append(CultureInfo.InvariantCulture,
                $"| {dataset.Name} | {dataset.Rows:N0} | {Of(dataset.Rmse)} | {Of(dataset.SingleRmse)} | {Of(dataset.PaperRmse)} | {Of(dataset.Nll)} | {Of(dataset.SingleNll)} | {Of(dataset.PaperNll)} | RMSE {Word(dataset.Rmse, dataset.PaperRmse)}, NLL {Word(dataset.Nll, dataset.PaperNll)} |\n");
        }
    }

    private static string Of(Estimate estimate) => string.Create(CultureInfo.InvariantCulture, $"{estimate.Mean:0.00} ± {estimate.StandardError:0.00}");

    private static string Word(Estimate ours, Estimate paper) =>
        ours.Mean - paper.Mean <= 2 * (ours.StandardError!.Value + paper.StandardError!.Value) ? "yes" : "no";
}

/// <param name="SingleRmse">The mean over the members alone.</param>
/// <param name="PaperRmse">What the paper says of its ensembles.</param>
public sealed record RegressionResult(
    string Name, int Rows, int Features, Estimate Rmse, Estimate Nll, Estimate SingleRmse, Estimate SingleNll, Estimate PaperRmse, Estimate PaperNll);
