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
        var experiment = new Experiment(suite, dataset, CommandOf(quick), time);
        var (members, done) = (suite.Arms.Sum(arm => arm.Members) * suite.Seeds, 0);
        ExperimentResults? results = null;
        for (var seed = 1; seed <= suite.Seeds; seed++)
        {
            var number = seed;
            experiment.RunSeed(
                (arm, member) => onProgress($"{Interlocked.Increment(ref done)}/{members}: seed {number}, {arm.Name}, member {member}"), cancellation);
            results = experiment.Results();
            experiment.EarlyExits().Write(Path.Combine(folder, NameOf(quick)));
            // A page after each seed: who has no time for all of them has those that are done.
            ExperimentFiles.Write(results, folder, NameOf(quick));
        }

        return results!;
    }

    /// <summary>
    /// The part of it about early exit alone, which needs two ensembles. Seeds that are in the folder already, measured by this version, are
    /// not measured again. The page is written where the rest of it has been measured.
    /// </summary>
    /// <param name="seeds">How many of the suite's seeds there are to be afterwards.</param>
    /// <inheritdoc cref="Run" path="/exception"/>
    public static EarlyExitResults RunEarlyExit(
        Suite suite, bool quick, int seeds, string folder, DataFolders data, TimeProvider time, Action<string> onProgress, CancellationToken cancellation)
    {
        using var dataset = suite.Source.Load(data);
        suite = EarlyExitExperiment.PartOf(suite);
        var place = Directory.CreateDirectory(Path.Combine(folder, NameOf(quick))).FullName;
        var results = EarlyExitResults.Find(place) is { } found && (found.Version, found.Dataset) == (EarlyExitExperiment.Version, suite.Name) ? found : null;
        var first = (results?.Networks[0].BySeed.Count ?? 0) + 1;
        var experiment = new EarlyExitExperiment(suite, $"{CommandOf(quick)} --only {EarlyExitResults.Part}", time, results);
        var (members, done) = (suite.Arms.Sum(arm => arm.Members) * Math.Max(0, seeds - first + 1), 0);
        for (var seed = first; seed <= seeds; seed++)
        {
            var models = SeedModels.Train(
                suite, dataset, (ulong)seed, (arm, member) => onProgress($"{Interlocked.Increment(ref done)}/{members}: seed {seed}, {arm.Name}, member {member}"), cancellation);
            experiment.Add(models, [.. suite.Curves.Select(curve => Experiment.ErrorsBySize(models, curve.Arm))]);
            results = experiment.Results();
            results.Write(place);
        }

        if (Path.Combine(place, ExperimentFiles.Data) is var rest && File.Exists(rest)) ExperimentFiles.WritePage(ExperimentResults.FromJson(File.ReadAllText(rest)), folder, NameOf(quick));
        return results!;
    }

    private static string CommandOf(bool quick) => quick ? "ensemble reproduce --quick" : "ensemble reproduce";

    /// <summary>A quick run never replaces a full run's page.</summary>
    public static string NameOf(bool quick) => quick ? "experiments-quick" : "experiments";
}
