using System.CommandLine;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Training;

namespace DistributedEnsemble.Client.Commands;

internal sealed class ExportCommand : DriverCommand
{
    private readonly Option<string> _output = new("--output")
    {
        Description = "A folder that does not exist yet, or an empty one.", HelpName = "DIR", Required = true,
    };

    public ExportCommand(Backend backend, SharedOptions shared, Consoles consoles)
        : base(
            "export", "Copies what predicting takes: weights as safetensors, and a manifest.",
            "ensemble export digits-1 --output exported", "ensemble export digits-1 --output exported --from snapshots --select last:2")
    {
        var run = new NamedRun(shared);
        var constituents = new ConstituentOptions();
        Add(run.Argument);
        Add(_output);
        constituents.AddTo(this);
        SetAction(parsed =>
        {
            var output = parsed.GetRequiredValue(_output);
            if (File.Exists(output)) throw new UsageException($"--output {output} is a file: it takes a folder.");
            if (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any())
                throw new UsageException($"--output {output} is not empty: take a new folder, or an empty one.");
            var catalog = backend.OpenCatalog(shared.Read(parsed));
            var status = run.Find(parsed, catalog);
            var manifest = catalog.Export(status.Run, constituents.Read(parsed), output);
            if (shared.Json(parsed)) consoles.Out.WriteJson(manifest);
            else consoles.Out.WriteRaw($"{Words.Plural(manifest.Constituents.Length, "model")} of run {status.Run} in {output}; {RunExport.ManifestFile} says how to predict with {(manifest.Constituents.Length == 1 ? "it" : "them")}.");
        });
    }
}
