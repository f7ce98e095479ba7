using System.Text;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>A section of the page of experiments that has data and a command of its own.</summary>
public interface IPageSection
{
    /// <param name="page">Gets the section.</param>
    /// <param name="name">Of the folder that has the data.</param>
    void WriteTo(StringBuilder page, string name);

    /// <summary>Those that a folder has data of.</summary>
    static IEnumerable<IPageSection> Find(string folder) =>
        ((IPageSection?[])[EarlyExitResults.Find(folder), DropoutResults.Find(folder, "lenet"), DropoutResults.Find(folder, "resnet"), RegressionResults.Find(folder)]).OfType<IPageSection>();
}
