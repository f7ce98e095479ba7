using System.Net;
using System.Text;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Reports.Figures;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Reports.Pages;

/// <summary>A page about one run that needs no other file.</summary>
internal static class RunPage
{
    /// <summary>A wider table of them is not read.</summary>
    private const int MostClasses = 20;

    private const string Css = """
        body { font: 15px/1.5 Inter, system-ui, Helvetica, Arial, sans-serif; color: #222; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
        h1, h2, p { overflow-wrap: anywhere; } p.about { color: #667; margin-top: .2rem; }
        table { border-collapse: collapse; } th, td { padding: .3rem .9rem .3rem 0; text-align: right; border-bottom: 1px solid #e3e6ea; font-variant-numeric: tabular-nums; }
        th:first-child, td:first-child { text-align: left; } tr.ensemble td { font-weight: 600; }
        table.more td:last-child { text-align: left; color: #667; } table.text td, table.bars td { text-align: left; vertical-align: top; overflow-wrap: anywhere; } table.text td:first-child { white-space: nowrap; color: #667; }
        table { max-width: 100%; } .wide { overflow-x: auto; } table.confusion td { padding: .3rem .6rem; } .pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr)); gap: 1rem; }
        .pictures img { width: 100%; image-rendering: pixelated; border-radius: 4px; } figcaption { font-size: 13px; color: #445; }
        @page { margin: 14mm; }
        figure { margin: 0; } figure svg { max-width: 100%; width: auto; height: auto; } pre { background: #f5f6f8; padding: 1rem; overflow-x: auto; font-size: 13px; }
        @media print {
          body { margin: 0; max-width: none; font-size: 11pt; } figure, tr, .pictures figure { break-inside: avoid; } h2, p.about { break-after: avoid; } pre { white-space: pre-wrap; overflow-wrap: anywhere; }
          .wide { overflow: visible; } .wide table { font-size: 8pt; } .wide th, .wide td { padding: .15rem .4rem .15rem 0; } table.confusion { font-size: 7pt; }
          table.rows th, table.rows td, .wide .setting, table.confusion th:nth-child(n+4), table.confusion td:first-child { overflow-wrap: anywhere; }
          .wide .setting { min-width: 3em; } table.confusion td { print-color-adjust: exact; white-space: nowrap; } table.confusion td:first-child { min-width: 5em; white-space: normal; }
          figure svg { max-height: 10.5cm; } .pictures { grid-template-columns: repeat(6, 1fr); gap: .6rem; }
        }
        """;

    public static string Write(
        RunStatus status, RunDescription run, EvaluationReport report, IReadOnlyList<(string Title, string Svg)> figures, RemarkableRows rows,
        IReadOnlyList<FeatureImportance> importance, Samples test)
    {
        var page = new StringBuilder();
        page.Append(Invariant(
            $"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{Html(status.Run)}</title><style>
            {Css}
            </style></head><body><main>
            <h1>{Html(status.Run)}</h1>
            <p class="about">{ReportSections.Plural(status.Members.Length, "member")} on {Html(run.Spec.Data.Dataset)}, {status.State.ToString().ToLowerInvariant()}: {status.Steps:N0} steps in {status.TrainSeconds:0.0} s of training</p>
            <h2>On the test split</h2>
            {ReportSections.Wide("On the test split")}<table><tr><th>model</th>{string.Concat(report.Ensemble.All.Select(measure => $"<th>{MeasureWords.Heading(measure.Name)}</th>"))}</tr>

            """));
        AppendRow(page, "mean member", report.Single.Mean);
        if (report.Single.Best is { } best) AppendRow(page, $"best member ({report.Single.BestMember})", best);
        AppendRow(page, $"ensemble of {report.Constituents}", report.Ensemble, "ensemble");
        if (report.Teacher is { } teacher) AppendTeacher(page, report, teacher);
        page.Append("</table></div>\n<h2>More about the ensemble</h2>\n").Append(ReportSections.Wide("More about the ensemble")).Append("<table class=\"more\">\n");
        foreach (var (name, value, meaning) in More(report)) page.Append($"<tr><td>{name}</td><td>{value}</td><td>{Html(meaning)}</td></tr>\n");
        page.Append("</table></div>\n");
        if (report.Classes is { Classes.Length: <= MostClasses } classes) AppendClasses(page, classes);
        else if (report.Classes is { } many) page.Append(Invariant($"<p class=\"about\">A table of all {many.Classes.Length:N0} classes is left out: it shows at most {MostClasses}.</p>\n"));
        foreach (var (i, (title, svg)) in figures.Index()) page.Append($"<h2>{title}</h2>\n<figure>{Drawing(svg, i)}</figure>\n");
        page.Append(ReportSections.Importance(importance, run.Data.Features.Count(), report.Weights.Length, test.Count));
        page.Append(ReportSections.Rows(rows, run.Data, test, importance));
        page.Append(ReportSections.Leaderboard(report));
        page.Append(ReportSections.Data(run.Data));
        page.Append(ReportSections.Card(status, run, report));
        page.Append("</main></body></html>\n");
        return page.ToString();
    }

    /// <summary>Beside a model that learned what another run answers, that run, and how much of its gain is kept.</summary>
    private static void AppendTeacher(StringBuilder page, EvaluationReport report, TeacherMeasures teacher)
    {
        AppendRow(page, Html($"teacher {teacher.Run}, ensemble of {teacher.Constituents}"), InOrder(teacher.Ensemble));
        AppendRow(page, "teacher’s mean member", InOrder(teacher.Single));
        page.Append($"<tr><td>kept of the teacher’s gain</td>{string.Concat(report.Ensemble.All.Select(measure => $"<td>{Kept(measure.Name)}</td>"))}</tr>\n");

        // Of the measures that this report has, in their order.
        Measures InOrder(Measures all) => Measures.Of([.. report.Ensemble.All.Select(measure => (measure.Name, all.Find(measure.Name)))]);

        string Kept(string measure) => TeacherGain.Kept(report, measure) is { } kept ? Invariant($"{100 * kept:0} %") : "–";
    }

    private static IEnumerable<(string Name, string Value, string Meaning)> More(EvaluationReport report)
    {
        foreach (var (name, value) in report.Calibrated?.All ?? [])
        {
            // Calibration moves no mean and orders no classes anew: what it leaves as it was stands above.
            if (report.Ensemble.All.All(other => other.Name != name)) yield return (MeasureWords.Heading(name), MeasureWords.Value(name, value), MeasureWords.Meaning(name));
            else if (value != report.Ensemble.Find(name)) yield return ($"{MeasureWords.Heading(name)}, calibrated", MeasureWords.Value(name, value), "after that calibration");
        }

        foreach (var (name, value) in (report.Uncertainty?.All ?? []).Concat(report.Diversity?.All ?? []).Where(measure => measure.Value is not null))
            yield return (MeasureWords.Heading(name), MeasureWords.Value(name, value), MeasureWords.Meaning(name));
        if (report.Validation is not { } validation) yield break;
        var (kind, rows) = validation.OutOfFold ? ("out-of-fold", "training rows, each by the members that did not see it") : ("validation", "validation rows");
        foreach (var name in new[] { validation.Measures.All[0].Name, "nll" })
            yield return ($"{kind} {MeasureWords.Heading(name)}", MeasureWords.Value(name, validation.Measures.Find(name)), Invariant($"on {validation.Rows:N0} {rows}"));
    }

    private static void AppendClasses(StringBuilder page, ClassTable table)
    {
        page.Append("<h2>Class by class</h2>\n<p class=\"about\">Each row of the table is a true class: how many of its rows the ensemble called what, in blue what is right.</p>\n").Append(ReportSections.Wide("Class by class")).Append("<table class=\"confusion\"><tr><th>class</th><th>precision</th><th>recall</th>");
        foreach (var name in table.Classes) page.Append($"<th>said {Html(name)}</th>");
        page.Append("</tr>\n");
        foreach (var (i, name) in table.Classes.Index())
        {
            page.Append($"<tr><td>{Html(name)}</td><td>{Share(table.Precision[i])}</td><td>{Share(table.Recall[i])}</td>");
            var all = Math.Max(1, table.Confusion[i].Sum());
            foreach (var (said, rows) in table.Confusion[i].Index())
                page.Append(Invariant($"<td style=\"background:rgba({(said == i ? "0,114,178" : "213,94,0")},{0.35 * rows / all:0.00})\">{rows:N0}</td>"));
            page.Append("</tr>\n");
        }

        page.Append("</table></div>\n");
    }

    private static string Share(double? share) => share is { } value ? Invariant($"{100 * value:0.0} %") : "–";

    private static void AppendRow(StringBuilder page, string name, Measures measures, string style = "") => page.Append(
        $"<tr class=\"{style}\"><td>{name}</td>{string.Concat(measures.All.Select(measure => $"<td>{MeasureWords.Value(measure.Name, measure.Value)}</td>"))}</tr>\n");

    /// <summary>Without the XML declaration, and with identifiers that no other drawing of the page has.</summary>
    private static string Drawing(string svg, int number) => svg[svg.IndexOf("<svg", StringComparison.Ordinal)..]
        .Replace(" id=\"", $" id=\"figure{number}-", StringComparison.Ordinal)
        .Replace("url(#", $"url(#figure{number}-", StringComparison.Ordinal)
        .Replace("href=\"#", $"href=\"#figure{number}-", StringComparison.Ordinal);

    private static string Html(string text) => WebUtility.HtmlEncode(text);

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
