using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>Runs a suite and writes what it finds: a page for people, the data, and the plots.</summary>
public static class Reproduction
{
    /// <param name="folder">Of the documentation: the page goes there, data and plots into a folder of the page's name.</param>
    /// <param name="onProgress">Told a line about every member that is done.</param>
    /// <returns>The results of all seeds.</returns>
    /// <exception cref="DataException">The data is missing.</exception>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    public static ExperimentResults Run(
        Suite suite, bool quick, string folder, DataFolders data, TimeProvider time, Action<string> onProgress, CancellationToken cancellation)
    {
        using var dataset = suite.Source.Load(data);
        // A folder that cannot be written to is found before the first seed, not after it.
        Directory.CreateDirectory(Path.Combine(folder, NameOf(quick)));
        var experiment = new Experiment(suite, dataset, quick ? "ensemble reproduce --quick" : "ensemble reproduce", time);
        var (members, done) = (suite.Arms.Sum(arm => arm.Members) * suite.Seeds, 0);
        ExperimentResults? results = null;
        for (var seed = 1; seed <= suite.Seeds; seed++)
        {
            var number = seed;
            experiment.RunSeed(
                (arm, member) => onProgress($"{Interlocked.Increment(ref done)}/{members}: seed {number}, {arm.Name}, member {member}"), cancellation);
            results = experiment.Results();
            // A page after each seed: who has no time for all of them has those that are done.
            ExperimentFiles.Write(results, folder, NameOf(quick));
        }

        return results!;
    }

    /// <summary>A quick run never replaces a full run's page.</summary>
    public static string NameOf(bool quick) => quick ? "experiments-quick" : "experiments";
}
