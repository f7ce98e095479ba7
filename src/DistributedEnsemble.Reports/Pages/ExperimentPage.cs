using System.Globalization;
using System.Text;
using DistributedEnsemble.Reports.Experiments;

namespace DistributedEnsemble.Reports.Pages;

/// <summary>Writes what an experiment found, in words that follow from its numbers.</summary>
public static class ExperimentPage
{
    /// <param name="name">Of the folder that has data and plots.</param>
    /// <param name="more">Sections that have data of their own.</param>
    public static string Write(ExperimentResults results, string name, params IReadOnlyList<IPageSection> more)
    {
        var page = new StringBuilder();
        WriteIntroduction(page, results, name);
        WriteFindings(page, results);
        WriteSubjects(page, results);
        WritePlots(page, results, name);
        WriteArms(page, results, name);
        foreach (var section in more) section.WriteTo(page, name);
        return page.ToString();
    }

    private static void WriteIntroduction(StringBuilder page, ExperimentResults results, string name) => page.Append(Invariant(
        $"""
        # Experiments: what averaging gains on {results.Dataset}

        Written by `{results.Command}` on {results.Date} with version {results.Version}, from [data.json]({name}/{ExperimentFiles.Data}): {results.Seeds.Count} seeds in
        {results.Minutes:0} minutes on {results.Threads} threads of {results.Machine.Cpu} ({results.Machine.InstructionSet}, libtorch {results.Machine.Libtorch}). The training
        library runs in one process here; runs on grains give the same weights bit by bit.

        {results.Splits.Train:N0} rows train, {results.Splits.Validation:N0} rows of the training data are held back to fit temperatures and to select, and {results.Splits.Test:N0} rows
        test. The test rows chose nothing: every setting was fixed before the first run, and a claim that fails stands here as failed.

        Numbers are means over seeds ± their standard error. Differences are paired: both models of a comparison have the same seed,
        so the same validation rows, and where they can, the same initial weights and batches. Where one of the two was trained more
        often, the members that both have are compared, while the tables show the mean of all. A claim *held* if the 95 % interval
        (Student's t) of the change in test error lies below zero; where a size is claimed, three quarters of it must be reached.


        """));

    private static void WriteFindings(StringBuilder page, ExperimentResults results)
    {
        page.Append("## Which claims held\n\n| claim | verdict | test error, points | calibrated NLL | at |\n|---|---|--:|--:|---|\n");
        foreach (var finding in results.Findings)
        {
            page.Append(Invariant(
                $"| {finding.Claim} | **{Words(finding.Verdict)}** | {Signed(finding.Error, 100, "0.00")} | {Signed(finding.CalibratedNll, 1, "0.0000")} | {finding.Budget} |\n"));
        }

        page.Append("\nIn words:\n\n");
        foreach (var finding in results.Findings) page.Append($"- {InWords(results, finding)}\n");
        page.Append('\n');
    }

    private static string InWords(ExperimentResults results, FindingResult finding)
    {
        var (before, after) = (Subject(results, finding.Baseline), Subject(results, finding.Treatment));
        var (low, high) = (100 * (finding.Error.Mean - finding.Error.Margin), 100 * (finding.Error.Mean + finding.Error.Margin));
        var verdict = finding.Verdict switch
        {
            Verdict.Held => "This held",
            Verdict.Less => "There is a gain, but a smaller one",
            Verdict.Unclear => "These seeds do not say",
            Verdict.Failed => "This did not hold",
        };
        var interval = finding.Error.StandardError is null ? "one seed has no interval" : Invariant($"95 % interval {low:+0.00;−0.00;0.00} to {high:+0.00;−0.00;0.00}");
        return Invariant(
            $"*{finding.Claim}.* {verdict}: {finding.Baseline} errs on {Percent(before.Of(m => m.Error))} of the test rows, {finding.Treatment} on {Percent(after.Of(m => m.Error))}; the paired change is {100 * finding.Error.Mean:+0.00;−0.00;0.00} points ({interval}). The calibrated NLL {Moves(finding.CalibratedNll)}.");
    }

    private static string Moves(Estimate change) =>
        Math.Abs(change.Mean) <= change.Margin ? "does not clearly change"
        : change.Mean < 0 ? Invariant($"falls by {-change.Mean:0.0000}")
        : Invariant($"rises by {change.Mean:0.0000}");

    private static void WriteSubjects(StringBuilder page, ExperimentResults results)
    {
        page.Append(
            "## Every model\n\nMember-steps are the training that one such model takes; forwards are the passes through a network that one row takes.\n\n"
            + "| model | test error, % | NLL | calibrated NLL | Brier | ECE, % | T | member-steps | forwards |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n");
        foreach (var subject in results.Subjects)
        {
            page.Append(Invariant(
                $"| {subject.Name} | {PlusMinus(subject.Of(m => m.Error), 100, "0.00")} | {PlusMinus(subject.Of(m => m.Nll), 1, "0.0000")} | {PlusMinus(subject.Of(m => m.CalibratedNll), 1, "0.0000")} | {subject.Of(m => m.Brier).Mean:0.0000} | {100 * subject.Of(m => m.Ece).Mean:0.0} | {subject.Of(m => m.Temperature).Mean:0.00} | {subject.MemberSteps:N0} | {subject.Forwards:N0} |\n"));
        }

        page.Append('\n');
    }

    private static void WritePlots(StringBuilder page, ExperimentResults results, string name)
    {
        page.Append("## Plots\n\n");
        foreach (var (file, title) in ExperimentFiles.Plots(results)) page.Append($"![{title}]({name}/{file}.png)\n\n");
    }

    private static void WriteArms(StringBuilder page, ExperimentResults results, string name)
    {
        page.Append(
            $"## How they were trained\n\nThe resolved spec of each is in [data.json]({name}/{ExperimentFiles.Data}); any of them can be trained with `ensemble train`.\n\n"
            + "| training | epochs | members for each seed | steps of a member | weights of a network |\n|---|--:|--:|--:|--:|\n");
        foreach (var arm in results.Arms)
        {
            page.Append(Invariant(
                $"| {arm.Name} | {arm.Spec["training"]!["epochs"]} | {arm.Members} | {arm.Steps:N0} | {arm.Weights:N0} |\n"));
        }
    }

    private static SubjectResult Subject(ExperimentResults results, string name) => results.Subjects.Single(subject => subject.Name == name);

    public static string Words(Verdict verdict) => verdict switch
    {
        Verdict.Held => "held",
        Verdict.Less => "a smaller gain",
        Verdict.Unclear => "unclear",
        Verdict.Failed => "failed",
    };

    private static string Percent(Estimate share) => Invariant($"{100 * share.Mean:0.00} %");

    private static string PlusMinus(Estimate value, double scale, string format)
    {
        var mean = (scale * value.Mean).ToString(format, CultureInfo.InvariantCulture);
        return value.StandardError is { } error ? $"{mean} ± {(scale * error).ToString(format, CultureInfo.InvariantCulture)}" : mean;
    }

    private static string Signed(Estimate value, double scale, string format) => PlusMinus(value, scale, $"+{format};−{format};{format}").Replace("± +", "± ", StringComparison.Ordinal);

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
