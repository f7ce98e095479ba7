using System.Security.Cryptography;
using System.Text;
using DistributedEnsemble.Files;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Client.Runs;

/// <summary>Models of a cluster's run in a temporary folder, with what predicting takes.</summary>
internal sealed class DownloadedRun : IDisposable
{
    private DownloadedRun(RunFolder folder, RunStatus status) => (Folder, Status) = (folder, status);

    public RunFolder Folder { get; }

    public RunStatus Status { get; }

    /// <exception cref="SpecException">Nothing fits the choice.</exception>
    /// <exception cref="InvalidDataException">A model did not arrive as it was sent.</exception>
    /// <exception cref="OperationCanceledException">It was given up; nothing is left of it.</exception>
    public static async Task<DownloadedRun> FetchAsync(Orleans.IGrainFactory grains, RunKey run, ConstituentChoice choice, NetworkRegistry networks, CancellationToken cancellation)
    {
        var coordinator = grains.GetGrain<ICoordinator>(run.ToString());
        var (status, definition) = (await coordinator.GetStatusAsync().WaitAsync(cancellation), await coordinator.GetDefinitionAsync().WaitAsync(cancellation));
        var model = RunModel.Of(definition, networks);
        var chosen = ChosenConstituents.Of(status, model.Spec, model.Networks, choice);
        var downloaded = new DownloadedRun(new RunFolder(Directory.CreateTempSubdirectory("ensemble-").FullName, run.Name), status);
        try
        {
            AtomicFile.Write(downloaded.Folder.Spec, stream => stream.Write(Encoding.UTF8.GetBytes(definition.Spec)));
            AtomicFile.Write(downloaded.Folder.Data, stream => stream.Write(Encoding.UTF8.GetBytes(definition.Data)));
            var files = grains.GetGrain<IRunFiles>(run.ToString());
            foreach (var file in chosen.Constituents)
            {
                var name = new ModelName(file.Member, file.Step, IsEma: status.Ema.Contains(file));
                await FetchAsync(files, name, downloaded.Folder.Path(file.File), cancellation);
            }

            return downloaded;
        }
        catch
        {
            downloaded.Dispose();
            throw;
        }
    }

    public void Dispose() => Directory.Delete(Folder.Runs, recursive: true);

    private static async Task FetchAsync(IRunFiles files, ModelName name, string path, CancellationToken cancellation)
    {
        NewFolder.Create(Path.GetDirectoryName(path)!);
        await using var file = File.Create(path);
        FileChunk chunk;
        do
        {
            chunk = await files.ReadAsync(name, file.Position, cancellation).WaitAsync(cancellation);
            if (Convert.ToHexStringLower(SHA256.HashData(chunk.Bytes)) != chunk.Sha256)
                throw new InvalidDataException($"A model of member {name.Member} did not arrive as it was sent. Try again.");
            await file.WriteAsync(chunk.Bytes, cancellation);
        }
        while (chunk.Bytes.Length > 0 && file.Position < chunk.Length);
    }
}
