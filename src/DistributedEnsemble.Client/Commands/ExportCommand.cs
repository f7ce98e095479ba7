using System.CommandLine;
using System.Text.Json;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Serving.Processes;
using DistributedEnsemble.Training.Exports;

namespace DistributedEnsemble.Client.Commands;

internal sealed class ExportCommand : DriverCommand
{
    private readonly SharedOptions _shared;
    private readonly Consoles _consoles;

    private readonly Option<ExportFormat> _format = new("--format")
    {
        Description = "safetensors: weights, and a manifest that says how to predict. onnx: one file that predicts.", HelpName = "safetensors|onnx",
        CustomParser = result => OptionValues.OneOf<ExportFormat>(result, "--format") ?? ExportFormat.Safetensors,
        DefaultValueFactory = _ => ExportFormat.Safetensors,
    };

    private readonly Option<string?> _output = new("--output")
    {
        Description = "Of safetensors: a folder that does not exist yet, or an empty one. Of onnx: a file [default: R.onnx]", HelpName = "DIR|FILE",
    };

    private readonly Option<bool> _single = new("--single") { Description = "Of onnx: only the model that is best on the validation rows." };

    public ExportCommand(Backend backend, SharedOptions shared, Consoles consoles, Func<Interruption> listen)
        : base(
            "export", "Writes what predicting elsewhere takes: weights as safetensors, or one ONNX file.",
            "ensemble export digits-1 --format onnx", "ensemble export digits-1 --format onnx --single --output one.onnx",
            "ensemble export digits-1 --output exported", "ensemble export digits-1 --output exported --from snapshots --select last:2")
    {
        (_shared, _consoles) = (shared, consoles);
        var run = new NamedRun(shared);
        var constituents = new ConstituentOptions();
        Add(run.Argument);
        Add(_format);
        _output.RefuseEmpty("a file or a folder");
        Add(_output);
        Add(_single);
        constituents.AddTo(this);
        SetAction((parsed, _) => Stoppable.RunAsync(listen, consoles, "Stopped before all was written: nothing is left of it.", cancellation =>
        {
            Action<IRunCatalog, string, ConstituentChoice, CancellationToken> export = parsed.GetValue(_format) switch
            {
                ExportFormat.Safetensors => Safetensors(parsed),
                ExportFormat.Onnx => Onnx(parsed),
            };
            var catalog = backend.OpenCatalog(shared.Read(parsed));
            export(catalog, run.Find(parsed, catalog, cancellation).Run, constituents.Read(parsed), cancellation);
            return ExitCode.Ok;
        }));
    }

    private Action<IRunCatalog, string, ConstituentChoice, CancellationToken> Safetensors(ParseResult parsed)
    {
        if (parsed.GetValue(_single)) throw new UsageException("--single is of --format onnx: safetensors are chosen with --members and --select.");
        var output = parsed.GetValue(_output) ?? throw new UsageException("--output is missing: it takes a folder for the safetensors and their manifest. (--format onnx writes one file.)");
        if (File.Exists(output)) throw new UsageException($"--output {output} is a file: it takes a folder.");
        if (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any())
            throw new UsageException($"--output {output} is not empty: take a new folder, or an empty one.");
        return (catalog, run, choice, cancellation) =>
        {
            var manifest = catalog.Export(run, choice, output, cancellation);
            if (_shared.Json(parsed)) _consoles.Out.WriteJson(JsonElement.Parse(manifest.ToJson()));
            else _consoles.Out.WriteRaw($"{Words.Plural(manifest.Constituents.Length, "model")} of run {run} in {output}; {RunExport.ManifestFile} says how to predict with {(manifest.Constituents.Length == 1 ? "it" : "them")}.");
        };
    }

    private Action<IRunCatalog, string, ConstituentChoice, CancellationToken> Onnx(ParseResult parsed) => (catalog, run, choice, cancellation) =>
    {
        var output = parsed.GetValue(_output) ?? $"{run}.onnx";
        if (Directory.Exists(output)) throw new UsageException($"--output {output} is a folder: with --format onnx it takes the name of a file.");
        var file = catalog.ExportOnnx(run, choice, parsed.GetValue(_single), output, cancellation);
        if (_shared.Json(parsed)) _consoles.Out.WriteJson(file);
        else _consoles.Out.WriteRaw($"{Words.Plural(file.Constituents.Length, "model")} of run {run} in {output}: from {Named(file.Inputs.Select(value => value.Name))} to {Named(file.Outputs.Select(value => value.Name))}.");
    };

    private static string Named(IEnumerable<string> names) => string.Join(", ", names);

    private enum ExportFormat { Safetensors, Onnx }
}
