using System.Security.Cryptography;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Files;
using Orleans.Concurrency;

namespace DistributedEnsemble.Grains.Files;

/// <inheritdoc cref="IRunFiles"/>
[StatelessWorker]
internal sealed class RunFilesGrain(EnsembleTrainingOptions options) : Grain, IRunFiles
{
    private const int ChunkBytes = 1 << 20;

    private RunStatus? _status;

    public async Task<FileChunk> ReadAsync(ModelName model, long offset, CancellationToken cancellationToken)
    {
        var run = RunKey.Parse(this.GetPrimaryKeyString());
        if (_status is null || Find(_status, model) is null) _status = await GrainFactory.GetGrain<ICoordinator>(run.ToString()).GetStatusAsync().WaitAsync(cancellationToken);
        if (Find(_status, model) is not { } file)
        {
            throw new RunRejectedException(
                $"Run \"{run.Name}\" has no {(model.IsEma ? "EMA model" : "snapshot")} of member {model.Member} at step {model.Step}.");
        }

        // The path is the record's own; RunFolder holds it below the run's folder.
        return await Task.Run(() => Read(options.FolderOf(run.Name), file, offset), cancellationToken).WaitAsync(cancellationToken);
    }

    private static WeightFile? Find(RunStatus status, ModelName model) =>
        (model.IsEma ? status.Ema : status.Snapshots).FirstOrDefault(file => file.Member == model.Member && file.Step == model.Step);

    private static FileChunk Read(RunFolder folder, WeightFile weights, long offset)
    {
        using var file = folder.OpenRead(weights.File);
        if (offset < 0 || offset > file.Length) throw new RunRejectedException($"The model has {file.Length:N0} bytes: there is nothing at {offset:N0}.");
        var bytes = new byte[Math.Min(file.Length - offset, ChunkBytes)];
        file.Position = offset;
        file.ReadExactly(bytes);
        return new FileChunk(bytes, file.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }
}
