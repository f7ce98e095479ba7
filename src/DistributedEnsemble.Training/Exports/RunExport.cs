using System.Security.Cryptography;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Safetensors;

namespace DistributedEnsemble.Training.Exports;

/// <summary>
/// Copies what predicting with a run takes into a folder of its own: the constituents as safetensors, spec.json, data.json,
/// and a manifest that says how they make one prediction.
/// </summary>
internal static class RunExport
{
    public const string ManifestFile = "manifest.json";

    /// <param name="choice">What differs from the spec's prediction.</param>
    /// <param name="output">A folder that does not exist yet or is empty; it appears when it is complete.</param>
    /// <exception cref="IOException">The folder is not empty, or cannot be written.</exception>
    /// <exception cref="SpecException">Nothing fits the choice.</exception>
    /// <exception cref="InvalidDataException">The run's spec or data description is missing or damaged.</exception>
    /// <exception cref="SafetensorsException">A file of weights is missing or damaged.</exception>
    /// <exception cref="OperationCanceledException">It was given up; nothing is left of it.</exception>
    public static ExportManifest Write(RunFolder folder, RunStatus status, ConstituentChoice? choice, NetworkRegistry networks, string output, CancellationToken cancellation = default)
    {
        output = Path.GetFullPath(output);
        if (File.Exists(output) || (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any()))
            throw new IOException($"{output} is not empty: an export takes a new folder, or an empty one.");
        var run = RunDescription.Read(folder);
        var model = RunModel.Of(run, networks);
        var chosen = ChosenConstituents.Of(status, run.Spec, model.Networks, choice);
        var selection = ConstituentSelection.Stored(folder, status.Run, model.Task, chosen);

        var aside = $"{output}.tmp-{Guid.NewGuid():N}";
        using var unfinished = Unfinished.Add(aside);
        try
        {
            var manifest = ExportManifest.Of(status, run, model, chosen, selection.Fit?.Fit) with
            {
                Constituents = [.. selection.Constituents.Zip(
                    selection.Multiplicities, (file, weight) => Copy(folder, file, weight, model, aside, cancellation))],
                Files = [Copy(folder, RunFolder.SpecFile, aside, RunFolder.SpecFile, cancellation), Copy(folder, RunFolder.DataFile, aside, RunFolder.DataFile, cancellation)],
            };
            AtomicFile.Write(Path.Combine(aside, ManifestFile), stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(manifest.ToJson())));
            if (Directory.Exists(output)) Directory.Delete(output);
            Directory.Move(aside, output);
            FolderFlush.Flush(Path.GetDirectoryName(output)!);
            return manifest;
        }
        catch (Exception exception)
        {
            if (Directory.Exists(aside)) Directory.Delete(aside, recursive: true);
            if (AtomicFile.Unwritable(exception, aside, output) is { } told) throw told;
            throw;
        }
    }

    private static ExportedConstituent Copy(RunFolder folder, WeightFile file, int weight, RunModel model, string aside, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        // Loading checks hash, names and shapes: what is handed on is whole.
        WeightFiles.LoadWeights(folder, file, model.Networks.Of(file.Member).Layout).Dispose();
        var copy = Copy(folder, file.File, aside, $"constituents/{file.Member:D2}-step-{file.Step:D8}.safetensors", cancellation);
        return new ExportedConstituent(file.Member, file.Step, weight, copy.File, file.Sha256) { Layers = ExportManifest.LayersOf(model, file.Member) };
    }

    private static ExportedFile Copy(RunFolder folder, string from, string aside, string name, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        AtomicFile.Write(Path.Combine(aside, name), stream =>
        {
            using var source = folder.OpenRead(from);
            source.CopyTo(stream);
        });
        using var copied = File.OpenRead(Path.Combine(aside, name));
        return new ExportedFile(name, Convert.ToHexStringLower(SHA256.HashData(copied)));
    }
}
