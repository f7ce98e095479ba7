using DistributedEnsemble.Client.Clusters;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Grains.Files;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Reports.Pages;
using DistributedEnsemble.Reports.TensorBoard;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving;
using DistributedEnsemble.Serving.Hosting;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Exports;
using DistributedEnsemble.Training.Exports.Onnx;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Verification;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Client.Runs;

/// <summary>The runs of a folder, or of a store of objects.</summary>
internal sealed class FileRunCatalog(EmbeddedOptions options) : IRunCatalog, IDisposable
{
    private static readonly ILogger s_log = new Warnings(Console.Error).CreateLogger(typeof(FileRunCatalog).FullName!);

    private readonly EnsembleTrainingOptions _training = Training(options);

    public IReadOnlyList<string> Names(CancellationToken cancellation) => [.. _training.RunNames().Where(name =>
    {
        cancellation.ThrowIfCancellationRequested();
        return Folder(name).Exists(RunFolder.StatusFile);
    })];

    public RunStatus? Find(string name, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (!RunName.IsValid(name)) throw new UsageException($"\"{name}\" is not a run's name: {RunName.Rule}.");
        var folder = Folder(name);
        var status = RunStatusFile.Read(folder);
        return status is { State: RunState.Running or RunState.Queued } && !folder.Storage.IsInTraining(folder) ? FileRuns.Orphaned(folder, status) : status;
    }

    // A folder of anything else that has a run's name is never taken for one.
    public bool Exists(string name, CancellationToken cancellation) =>
        Folder(name) is var folder && new[] { RunFolder.StatusFile, RunFolder.RecordFile, RunFolder.LockFile }.Any(folder.Exists);

    public void RequestStop(string name, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        FileRuns.RequestStop(Folder(name));
    }

    /// <summary>One that has begun is brought to its end, unless the process ends first.</summary>
    public void Delete(string name, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        FileRuns.DeleteAsync(Folder(name)).GetAwaiter().GetResult();
    }

    public EnsembleSpec ReadSpec(string name, CancellationToken cancellation) => RunDescription.ReadSpec(Folder(name));

    public RunDescription ReadDescription(string name, CancellationToken cancellation) => RunDescription.Read(Folder(name));

    public EvaluationReport Evaluate(string name, ConstituentChoice choice, double? coverage, CancellationToken cancellation) => RunEvaluation.Evaluate(
        Folder(name), Existing(name, cancellation), choice, Load, _training.Networks, coverage, cancellation);

    public void Predict(
        string name, ConstituentChoice choice, double? coverage, Func<DataDescription, IRowBatches> open, Action<PredictedRows> write, CancellationToken cancellation) =>
        RunPrediction.Predict(Folder(name), Existing(name, cancellation), choice, coverage, _training.Networks, open, write, cancellation);

    public PredictedRows PredictOutOfFold(string name, ConstituentChoice choice, double? coverage, CancellationToken cancellation) =>
        RunEvaluation.PredictOutOfFold(Folder(name), Existing(name, cancellation), choice, Load, _training.Networks, coverage, cancellation);

    public ExportManifest Export(string name, ConstituentChoice choice, string output, CancellationToken cancellation) =>
        RunExport.Write(Folder(name), Existing(name, cancellation), choice, _training.Networks, output, cancellation);

    public OnnxFile ExportOnnx(string name, ConstituentChoice choice, bool isSingle, string output, CancellationToken cancellation) =>
        OnnxExport.Write(Folder(name), Existing(name, cancellation), choice, isSingle, _training.Networks, output, cancellation);

    public string Report(string name, ConstituentChoice choice, CancellationToken cancellation) =>
        RunReports.Write(Folder(name), Existing(name, cancellation), choice, Load, _training.Networks, options.OutputOf(name), cancellation);

    /// <inheritdoc cref="RunVerification.Verify"/>
    public VerificationReport Verify(string name, VerificationChoice choice, Action<int> onMember, CancellationToken cancellation) => RunVerification.Verify(
        Folder(name), Existing(name, cancellation), choice, Load, unlabelled => _training.FindUnlabelled(unlabelled, readsPaths: true), _training.Networks, onMember, cancellation);

    /// <inheritdoc cref="RunManifest.Sign"/>
    public RunManifest Sign(string name, string key, CancellationToken cancellation) => RunManifest.Sign(Folder(name), Existing(name, cancellation), key);

    /// <inheritdoc cref="RunManifest.Verify"/>
    public RunManifest VerifySignature(string name, string key, CancellationToken cancellation) => RunManifest.Verify(Folder(name), Existing(name, cancellation), key);

    public string TensorBoard(string name, CancellationToken cancellation)
    {
        var (folder, status) = (Folder(name), Existing(name, cancellation));
        using var logs = new TensorBoardLogs(folder, ReadSpec(name, cancellation), folder.Find(RunFolder.StatusFile)!.Value.Written.AddSeconds(-status.TrainSeconds), options.OutputOf(name));
        logs.Follow(status);
        if (status.State is not (RunState.Completed or RunState.Degraded)) return logs.Root;
        logs.Add("ensemble", status, Evaluate(name, new ConstituentChoice(), null, cancellation));
        if (!status.Ema.IsEmpty) logs.Add("ema", status, Evaluate(name, new ConstituentChoice(PredictionSource.Ema), null, cancellation));
        return logs.Root;
    }

    /// <summary>With the settings of a silo: what is read in its place lies where it would.</summary>
    private static EnsembleTrainingOptions Training(EmbeddedOptions options)
    {
        var offer = ServingConfiguration.OfEnvironment().ReadTraining();
        var training = new EnsembleTrainingOptions
        {
            RunsFolder = options.RunsFolder, DataFolder = options.DataFolder, Store = options.OpenStorageAsync(StoreUse.Read).GetAwaiter().GetResult() as ObjectStorage,
        };
        offer(training);
        return training;
    }

    private Dataset Load(EnsembleSpec spec, DataDescription recorded)
    {
        var (source, found) = _training.Resolve(spec.Data, readsPaths: true);
        return source.Load(_training.FoldersOfData(s_log), spec with { Data = found }, recorded);
    }

    public void Dispose() => _training.Store?.Dispose();

    private RunFolder Folder(string name) => _training.FolderOf(name);

    private RunStatus Existing(string name, CancellationToken cancellation) =>
        Find(name, cancellation) ?? throw new UsageException($"There is no run \"{name}\" in {options.Place}.");
}
