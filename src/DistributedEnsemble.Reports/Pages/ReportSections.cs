using System.Globalization;
using System.Net;
using System.Text;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Reports.Figures;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Reports.Pages;

/// <summary>Parts of a run's page that are more than a figure.</summary>
internal static class ReportSections
{
    private const int MostModels = 60, MostCells = 6;

    /// <summary>Opens what holds a table that may be wider than the window, and is then moved by itself, also by keys.</summary>
    public static string Wide(string label) => $"<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{label}\">";

    public static string Plural(int count, string noun) => FormattableString.Invariant($"{count:N0} {noun}{(count == 1 ? "" : "s")}");

    /// <summary>The models alone, the best first, with the settings in which their members differ.</summary>
    public static string Leaderboard(EvaluationReport report)
    {
        string[] keys = report.Settings.IsDefaultOrEmpty ? [] : [.. report.Settings[0].Select(setting => setting.Key)];
        var page = new StringBuilder($"<h2 id=\"leaderboard\">Leaderboard</h2>\n{Wide("Leaderboard")}<table><tr><th>model</th>");
        foreach (var measure in report.Ensemble.All) page.Append($"<th>{MeasureWords.Heading(measure.Name)}</th>");
        foreach (var key in keys) page.Append($"<th class=\"setting\" title=\"{Html(key)}\">{Html(SpecValues.ShortName(key, keys))}</th>");
        page.Append("</tr>\n");
        Append(page, $"ensemble of {report.Constituents}", report.Ensemble, keys.Select(_ => ""), "ensemble");
        var models = report.Weights.Zip(report.Models).Index().OrderBy(model => model.Item.Second.Nll).ToArray();
        foreach (var (i, (_, measures)) in models.Take(MostModels))
            Append(page, Name(report, i), measures, keys.Length == 0 ? [] : report.Settings[i].Select(setting => SpecValues.Plainly(setting.Value)), "");
        page.Append("</table></div>\n");
        if (models.Length > MostModels) page.Append(CultureInfo.InvariantCulture, $"<p class=\"about\">and {models.Length - MostModels:N0} more</p>\n");
        return page.ToString();
    }

    /// <summary>Rows that the ensemble is least sure of, and those that it is most wrong about.</summary>
    public static string Rows(RemarkableRows rows, DataDescription data, Samples test, IReadOnlyList<FeatureImportance> importance) =>
        Rows("Most uncertain rows", rows.Uncertain, data, test, importance) + Rows("Most wrong rows", rows.Wrong, data, test, importance);

    /// <summary>Bars of the ensemble's loss without each feature, with the spread of the models'.</summary>
    public static string Importance(IReadOnlyList<FeatureImportance> features, int columns, int models, long rows)
    {
        if (features.Count == 0) return "";
        var most = Math.Max(1e-12, features.Max(feature => Math.Max(feature.Nll, feature.Models.Max())));
        var page = new StringBuilder($"<h2 id=\"importance\">What the predictions lean on</h2>\n<p class=\"about\">By how much the NLL of the test rows grows when a column's values are dealt out among them anew: the ensemble's as a bar, its models' from the lowest to the highest as a line.{Cut()}</p>\n{Wide("What the predictions lean on")}<table class=\"bars\">\n");
        foreach (var feature in features)
        {
            double X(double value) => Math.Clamp(300 * value / most, 0, 300);
            page.Append(CultureInfo.InvariantCulture, $"""
                <tr><td>{Html(feature.Name)}</td><td><svg viewBox="0 0 300 16" width="300" height="16" role="img" aria-label="{feature.Nll:0.0000}"><rect y="3" height="10" width="{X(feature.Nll):0.0}" fill="#0072B2"/><line x1="{X(feature.Models.Min()):0.0}" x2="{X(feature.Models.Max()):0.0}" y1="8" y2="8" stroke="#222" stroke-width="1.5"/></svg></td><td>{feature.Nll:+0.0000;-0.0000;0}</td><td>{feature.Models.Min():+0.0000;-0.0000;0} to {feature.Models.Max():+0.0000;-0.0000;0}</td></tr>

                """);
        }

        return page.Append("</table></div>\n").ToString();

        string Cut()
        {
            (string Things, long All, int Most)[] parts = [("columns", columns, FeatureImportance.MostFeatures), ("models", models, FeatureImportance.MostModels), ("rows", rows, FeatureImportance.MostRows)];
            string[] cut = [.. parts.Where(part => part.All > part.Most).Select(part => FormattableString.Invariant($"{part.Most:N0} of {part.All:N0} {part.Things}"))];
            return cut.Length == 0 ? "" : $" Measured on the first {string.Join(", ", cut)}.";
        }
    }

    /// <summary>What the run was trained on.</summary>
    public static string Data(DataDescription data)
    {
        var page = new StringBuilder("<h2 id=\"data\">Data</h2>\n<table class=\"text\">\n");
        Row("dataset", data.Dataset);
        Row("SHA-256", data.Sha256);
        Row("rows", FormattableString.Invariant($"{data.Splits.Train:N0} train, {data.Splits.Validation:N0} validate, {data.Splits.Test:N0} test"));
        Row("task", data.Task.Target is { } target ? $"{data.Task.Name} of {target}" : data.Task.Name);
        Row("a row", data.InputShape is [var channels, var height, var width] ? $"{channels} × {height} × {width} pixels" : $"{data.Inputs.Width} inputs");
        if (data.Table is { } table)
        {
            Row("columns", string.Join(", ", table.Features.Select(column => column.Becomes is { } becomes ? $"{column.Name} ({becomes})" : column.Name)));
            foreach (var column in table.Columns.Where(column => column.Inputs == 0)) Row("left out", column.Note is { } note ? $"{column.Name}: {note}" : column.Name);
            foreach (var note in table.Notes) Row("note", note);
        }

        return page.Append("</table>\n").ToString();

        void Row(string name, string text) => page.Append($"<tr><td>{name}</td><td>{Html(text)}</td></tr>\n");
    }

    /// <summary>A model card (Mitchell et al., 2019), as far as a run knows it, and how to do it again.</summary>
    public static string Card(RunStatus status, RunDescription run, EvaluationReport report)
    {
        var spec = run.Spec;
        var machine = status.Machine is { } one ? $"{one.Cpu}, {one.InstructionSet}" : "unknown";
        var main = report.Ensemble.All[0];
        var isEma = report.Weights.All(file => file.File == RunFolder.Ema(file.Member, file.Step));
        var (learned, needed) = spec.Distillation is { Teacher: { } teacher } distillation
            ? ($"\n<tr><td>learned</td><td>what the run {Html(teacher)} answers, which counts {100 * distillation.Share:0} % in the loss, and the labels</td></tr>", $"; the run {Html(teacher)} must lie in the same folder of runs")
            : ("", "");
        return FormattableString.Invariant($"""
            <h2 id="card">Model card</h2>
            <table class="text">
            <tr><td>model</td><td>{Plural(report.Constituents, isEma ? "EMA model" : "model")} of {Plural(report.Members, "member")}{(report.Constituents == 1 ? "" : ", averaged")}; {Html(string.Join(" and ", report.Weights.Select(file => spec.OfMember(file.Member).Model.Kind).Distinct()))}, seed {spec.Seed}</td></tr>
            <tr><td>predicts</td><td>{Html(report.Task)}{(report.Target is { } target ? $" of {Html(target)}" : "")}, from rows like those of {Html(run.Data.Dataset)}</td></tr>
            <tr><td>trained</td><td>{status.Steps:N0} steps in {status.TrainSeconds:0.0} s on {Html(machine)}; {(status.Exact ? "can be repeated bit by bit" : "can not be repeated bit by bit")}</td></tr>{learned}
            <tr><td>measured</td><td>{MeasureWords.Heading(main.Name)} {MeasureWords.Value(main.Name, main.Value)}, NLL {MeasureWords.Value("nll", report.Ensemble.Nll)} on {run.Data.Splits.Test:N0} test rows that nothing was chosen by</td></tr>
            <tr><td>limits</td><td>Nothing is known of rows unlike the training rows: entropy and disagreement often grow there, and need not. Measures say nothing of groups within the rows, nor of other times and places.</td></tr>
            </table>
            <h2 id="again">Do it again</h2>
            <p class="about">One command for a shell: it trains on {Html(run.Data.Dataset)} (SHA-256 {run.Data.Sha256}){(run.Data.Table is null ? "" : ", which must lie where the spec says")}{needed}.</p>
            <pre>ensemble train /dev/stdin --name {Html(Shortened(status.Run))}-again &lt;&lt;'SPEC'
            {Html(spec.ToJson())}
            SPEC</pre>

            """);
    }

    private static string Shortened(string name) => name.Length <= 57 ? name : name[..57];

    private static string Rows(string title, IReadOnlyList<RemarkableRow> rows, DataDescription data, Samples test, IReadOnlyList<FeatureImportance> importance)
    {
        var page = new StringBuilder($"<h2>{title}</h2>\n");
        if (RowPicture.Fits(data))
        {
            page.Append("<div class=\"pictures\">");
            foreach (var row in rows)
                page.Append($"<figure><img alt=\"row {row.Row}\" src=\"{RowPicture.Draw(data, test.InputsOf(row.Row, 1))}\"><figcaption>{Html(row.Said)}<br>is {Html(row.Truth)}</figcaption></figure>");
            return page.Append("</div>\n").ToString();
        }

        string[] shown = [.. (importance.Count > 0 ? importance.Select(feature => feature.Name) : data.Features.Select(feature => feature.Name)).Take(MostCells)];
        page.Append($"{Wide(title)}<table class=\"rows\"><tr><th>test row</th><th>is</th><th>the ensemble says</th>{string.Concat(shown.Select(name => $"<th>{Html(name)}</th>"))}</tr>\n");
        foreach (var row in rows)
        {
            var cells = InputWords.Of(data, test.InputsOf(row.Row, 1));
            page.Append($"<tr><td>{row.Row}</td><td>{Html(row.Truth)}</td><td>{Html(row.Said)}</td>{string.Concat(shown.Select(name => $"<td>{Html(cells[name])}</td>"))}</tr>\n");
        }

        return page.Append("</table></div>\n").ToString();
    }

    /// <summary>Which of the models it is, and how often it counts where that was selected.</summary>
    private static string Name(EvaluationReport report, int model)
    {
        var (file, times) = (report.Weights[model], report.Multiplicities[model]);
        var name = report.Members == report.Constituents ? $"member {file.Member}" : FormattableString.Invariant($"member {file.Member}, step {file.Step:N0}");
        return times == 1 ? name : $"{name}, counts {times} times";
    }

    private static void Append(StringBuilder page, string name, Measures measures, IEnumerable<string> settings, string style) => page.Append(
        $"<tr class=\"{style}\"><td>{name}</td>{string.Concat(measures.All.Select(measure => $"<td>{MeasureWords.Value(measure.Name, measure.Value)}</td>"))}"
        + $"{string.Concat(settings.Select(value => $"<td class=\"setting\">{Html(value)}</td>"))}</tr>\n");

    private static string Html(string text) => WebUtility.HtmlEncode(text);
}
