using DistributedEnsemble.Reports.Experiments;
using DistributedEnsemble.Reports.Pages;

namespace DistributedEnsemble.Reports.Tests.Pages;

public sealed class CommittedPageTests
{
    [Fact]
    public void The_committed_page_says_what_its_data_says()
    {
        var docs = Repository.File("docs");
        var results = ExperimentResults.FromJson(File.ReadAllText(Path.Combine(docs, "experiments", ExperimentFiles.Data)));

        Assert.Equal(ExperimentPage.Write(results, "experiments", [.. IPageSection.Find(Path.Combine(docs, "experiments"))]), File.ReadAllText(Path.Combine(docs, "experiments.md")));
        Assert.All(ExperimentFiles.Plots(results), plot => Assert.True(File.Exists(Path.Combine(docs, "experiments", $"{plot.File}.png"))));
    }
}
