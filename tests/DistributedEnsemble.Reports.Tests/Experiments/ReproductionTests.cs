using System.Xml.Linq;
using DistributedEnsemble.Reports.Experiments;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Reports.Tests.Experiments;

public sealed class ReproductionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ensemble-").FullName;

    private static readonly Suite s_tiny = Suite.Quick with
    {
        Seeds = 2,
        Arms = [.. Suite.Quick.Arms.Select(arm => arm with
        {
            MonteCarloSamples = Math.Min(arm.MonteCarloSamples, 3),
            Spec = arm.Spec.Replace("\"epochs\": 20, \"batchSize\": 32", "\"epochs\": 2, \"batchSize\": 200", StringComparison.Ordinal),
        })],
    };

    [Fact]
    public void A_reproduction_writes_its_page_data_and_plots_and_measures_what_the_library_gives()
    {
        List<string> progress = [];

        var results = Reproduction.Run(
            s_tiny, quick: true, _folder, new DataFolders(), TimeProvider.System, line => { lock (progress) progress.Add(line); },
            TestContext.Current.CancellationToken);

        Assert.Equal(2 * s_tiny.Arms.Sum(arm => arm.Members), progress.Count);
        Assert.Equal(results.ToJson(), File.ReadAllText(Path.Combine(_folder, "experiments-quick", "data.json")));
        Assert.Equal(results.ToJson(), ExperimentResults.FromJson(results.ToJson()).ToJson());
        var page = File.ReadAllText(Path.Combine(_folder, "experiments-quick.md"));
        Assert.All(s_tiny.Comparisons, comparison => Assert.Contains(comparison.Claim, page, StringComparison.Ordinal));
        Assert.All(s_tiny.Subjects, subject => Assert.Contains($"| {subject.Name} |", page, StringComparison.Ordinal));
        foreach (var (file, title) in ExperimentFiles.Plots(results))
        {
            Assert.Contains($"![{title}](experiments-quick/{file}.png)", page, StringComparison.Ordinal);
            Assert.Equal("svg", XDocument.Load(Path.Combine(_folder, "experiments-quick", $"{file}.svg")).Root!.Name.LocalName);
            Assert.True(new FileInfo(Path.Combine(_folder, "experiments-quick", $"{file}.png")).Length > 5000);
        }

        Assert.Contains("![Test error against the members that rows ask](experiments-quick/early-exit.png)", page, StringComparison.Ordinal);
        Assert.Equal(results.Curves.SelectMany(curve => curve.BySeed), Exits().Networks.SelectMany(network => network.BySeed.Select(seed => seed.Errors)));

        Assert.Equal(ReferenceErrors(seed: 2), (
            results.Subjects.Single(subject => subject.Name == "single model").BySeed[1].Error,
            results.Subjects.Single(subject => subject.Name == "ten members").BySeed[1].Error));
    }

    [Fact]
    public void Early_exit_alone_trains_the_ensembles_that_it_needs_and_goes_on_after_the_seeds_that_are_there()
    {
        var suite = s_tiny with { Curves = [s_tiny.Curves[0]] };
        var first = MeasureEarlyExit(suite, seeds: 1, trained: 10);
        var both = MeasureEarlyExit(suite, seeds: 2, trained: 10);
        var again = MeasureEarlyExit(suite, seeds: 2, trained: 0);

        var network = Assert.Single(both.Networks);
        Assert.Equal(first.Networks[0].BySeed[0].Errors, network.BySeed[0].Errors);
        Assert.Equal([1, 2], network.BySeed.Select(seed => seed.Seed));
        Assert.Equal(both.ToJson(), again.ToJson());
        var (single, ensemble) = ReferenceErrors(seed: 2);
        Assert.Equal(single, network.BySeed[1].Errors[0], 1e-12);
        Assert.Equal(ensemble, network.BySeed[1].Errors[^1]);
        Assert.All(network.BySeed.SelectMany(seed => seed.Points), point => Assert.InRange(point.Members, 1, 10));
        Assert.False(File.Exists(Path.Combine(_folder, "experiments-quick.md")), "The rest of the page was not measured.");
    }

    [Fact]
    public void What_another_version_measured_of_early_exit_is_measured_again()
    {
        var suite = s_tiny with { Curves = [s_tiny.Curves[0]] };
        var results = MeasureEarlyExit(suite, seeds: 1, trained: 10);
        (results with { Version = "0" }).Write(Path.Combine(_folder, "experiments-quick"));

        MeasureEarlyExit(suite, seeds: 1, trained: 10);

        Assert.Equal(results.Version, Exits().Version);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_found_before_anything_is_trained()
    {
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        List<string> progress = [];

        Assert.ThrowsAny<IOException>(() => Reproduction.Run(
            s_tiny, quick: true, Path.Combine(file, "docs"), new DataFolders(), TimeProvider.System, progress.Add, TestContext.Current.CancellationToken));

        Assert.Empty(progress);
    }

    [Fact]
    public void A_quick_run_has_a_page_of_its_own() =>
        Assert.NotEqual(Reproduction.NameOf(quick: true), Reproduction.NameOf(quick: false));

    [Fact]
    public void Every_comparison_is_of_subjects_that_are_measured_on_arms_that_are_trained()
    {
        foreach (var suite in new[] { Suite.Full, Suite.Quick })
        {
            Assert.All(suite.Comparisons, comparison =>
            {
                Assert.NotNull(suite.Subject(comparison.Baseline));
                Assert.NotNull(suite.Subject(comparison.Treatment));
            });
            Assert.All(suite.Subjects, subject => Assert.NotNull(suite.Arm(subject.Arm)));
            Assert.All(suite.Curves, curve => Assert.NotNull(suite.Arm(curve.Arm)));
        }
    }

    [Fact]
    public void Ten_members_have_as_many_weights_as_the_wide_network_but_for_its_last_biases()
    {
        using var digits = new Digits().Load(new DataFolders());
        int Weights(string arm) => Suite.Quick.Arm(arm).Plan(digits, Suite.Quick.Source, 1).Of(0).Network.Layout.ParameterCount;

        Assert.InRange(Weights("wide") / (10.0 * Weights("base")), 0.97, 1);
    }

    private EarlyExitResults MeasureEarlyExit(Suite suite, int seeds, int trained)
    {
        List<string> progress = [];
        var results = Reproduction.RunEarlyExit(
            suite, quick: true, seeds, _folder, new DataFolders(), TimeProvider.System, line => { lock (progress) progress.Add(line); }, TestContext.Current.CancellationToken);
        Assert.Equal(trained, progress.Count);
        Assert.Equal(results.ToJson(), Exits().ToJson());
        return results;
    }

    private EarlyExitResults Exits() => EarlyExitResults.Find(Path.Combine(_folder, "experiments-quick"))!;

    /// <summary>The mean error of the members, and that of their average, without the experiment's own code.</summary>
    private static (double Single, double Ensemble) ReferenceErrors(ulong seed)
    {
        using var digits = new Digits().Load(new DataFolders());
        var plan = s_tiny.Arm("base").Plan(digits, s_tiny.Source, seed);
        var finals = EnsembleTraining.Run(plan).Where(snapshot => snapshot.Step == plan.Of(0).Steps).ToList();
        var models = finals.Select(snapshot => (IPredictor)new SingleModel(plan.Of(0).Network, plan.Task, snapshot.Weights)).ToList();
        return (models.Average(Error), Error(new Ensemble(models)));

        double Error(IPredictor model) => 1 - ClassificationQuality.Of(
            (Classification)plan.Task, BatchedPrediction.OfRows(model, digits.Test, 0, (int)digits.Test.Count), digits.Test.Targets)["accuracy"];
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
