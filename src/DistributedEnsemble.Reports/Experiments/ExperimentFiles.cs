using System.Text;
using DistributedEnsemble.Reports.Pages;
using DistributedEnsemble.Reports.Plots;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>The files of an experiment: NAME.md, and NAME/ with data.json and the plots. Page and plots are drawn from the data alone.</summary>
public static class ExperimentFiles
{
    public const string Data = "data.json";

    public static void Write(ExperimentResults results, string folder, string name)
    {
        Write(Path.Combine(folder, name, Data), results.ToJson());
        Draw("error-by-size", () => SizeCurvePlot.Draw(results.Curves));
        Draw("reliability", () => ReliabilityPlot.Draw(results.Reliability));
        Draw("disagreement", () => DisagreementPlot.Draw(results.Disagreements));
        foreach (var curves in results.Learning) Draw(FileOf(curves), () => LearningCurvePlot.Draw(curves));
        WritePage(results, folder, name);

        void Draw(string file, Func<Figure> draw)
        {
            using var figure = draw();
            figure.Save(Path.Combine(folder, name), file);
        }
    }

    /// <summary>The page alone, from data that is there.</summary>
    public static void WritePage(ExperimentResults results, string folder, string name) => Write(
        Path.Combine(folder, $"{name}.md"), ExperimentPage.Write(results, name, [.. IPageSection.Find(Path.Combine(folder, name))]));

    /// <summary>Each plot's file, without extension, and its title.</summary>
    public static IEnumerable<(string File, string Title)> Plots(ExperimentResults results) =>
    [
        ("error-by-size", "Test error against the number of members"),
        ("reliability", "Accuracy against confidence, before and after averaging"),
        ("disagreement", "Which snapshots of ten members disagree"),
        .. results.Learning.Select(curves => (FileOf(curves), $"Loss, schedule and snapshots of the training \"{curves.Title}\"")),
    ];

    private static string FileOf(LearningCurves curves) => $"learning-{curves.Title}";

    private static void Write(string path, string text) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
}
