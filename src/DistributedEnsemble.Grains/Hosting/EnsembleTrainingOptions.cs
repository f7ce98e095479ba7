using DistributedEnsemble.Grains.Lanes;
using DistributedEnsemble.Grains.Plans;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Networks;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Hosting;

/// <summary>What a silo offers to runs.</summary>
public sealed class EnsembleTrainingOptions
{
    /// <summary>Where the folders of the runs are, shared by all silos of a cluster; with a store, what is this silo's own for a while.</summary>
    public string RunsFolder { get; set; } = "runs";

    /// <summary>The objects that have the runs' files; null keeps them in <see cref="RunsFolder"/>.</summary>
    internal ObjectStorage? Store { get; set; }

    /// <summary>Where the runs' files are.</summary>
    internal RunStorage Storage => (RunStorage?)Store ?? new FolderStorage(RunsFolder);

    /// <summary>The names that files have as a run has, in their order.</summary>
    internal IReadOnlyList<string> RunNames() => [.. Storage.Folders().Where(RunName.IsValid).Order(StringComparer.Ordinal)];

    /// <summary>The files of a run.</summary>
    internal RunFolder FolderOf(string run) => new(Storage, run);

    /// <summary>Where data files are looked for first; null leaves the places that the datasets know.</summary>
    public string? DataFolder { get; set; }

    /// <summary>Where data is read from, and where inputs of it lie that are too many for memory.</summary>
    /// <param name="log">Is told of large tables whose inputs cannot lie there.</param>
    internal DataFolders FoldersOfData(ILogger log) =>
        new(DataFolder) { Large = new InputFolder(RunsFolder, Limits.MaxInputsInMemory, log.HasNoFile) };

    /// <summary>Dedicated training threads of this silo.</summary>
    public int Lanes { get; set; } = Environment.ProcessorCount;

    /// <summary>What the lanes leave to everything else that runs on the machine.</summary>
    public LanePriority LanePriority { get; set; } = LanePriority.Low;

    /// <summary>
    /// Whether a submission that asks for it (<see cref="DistributedEnsemble.Scheduling.Submission.NamesPaths"/>) may name files of this machine as its
    /// data: only where nobody but the user of this process can ask.
    /// </summary>
    public bool ReadsPaths { get; set; }

    /// <summary>How long the silos of a cluster wait for each other.</summary>
    public TimingOptions Timing { get; set; } = new();

    /// <summary>What clients can take.</summary>
    public Limits Limits { get; set; } = new();

    /// <summary>How this silo answers predictions.</summary>
    public PredictionOptions Prediction { get; } = new();

    /// <summary>The kinds of network that a spec can name; add your own.</summary>
    public NetworkRegistry Networks { get; } = new();

    /// <summary>The datasets that a spec can name; add your own.</summary>
    public DatasetRegistry Datasets { get; } = new();
}
