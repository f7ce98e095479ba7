using System.CommandLine;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Training;

namespace DistributedEnsemble.Client.Commands;

internal sealed class PredictCommand : DriverCommand
{
    private const string StandardInput = "-";

    private readonly Option<string> _input = new("--input")
    {
        Description = "CSV with the columns of the run's data, raw values; - is standard input.", HelpName = "rows.csv", Required = true,
    };

    private readonly Option<string?> _output = new("--output")
    {
        Description = "Write CSV to this file [default: standard output, as a table on a terminal]", HelpName = "out.csv",
    };

    public PredictCommand(Backend backend, SharedOptions shared, Consoles consoles)
        : base(
            "predict", "Predicts rows: the class, averaged probabilities, and how unsure they are.",
            "ensemble predict digits-1 --input rows.csv", "ensemble predict digits-1 --input rows.csv --output out.csv",
            "ensemble predict digits-1 --input rows.csv --mc 20 --json")
    {
        var run = new NamedRun(shared);
        var constituents = new ConstituentOptions();
        Add(run.Argument);
        Add(_input);
        Add(_output);
        constituents.AddTo(this);
        SetAction(parsed =>
        {
            var (output, json) = (parsed.GetValue(_output), shared.Json(parsed));
            if (output is not null && json) throw new UsageException("--output writes CSV, and --json prints JSON: give one of the two.");
            var catalog = backend.OpenCatalog(shared.Read(parsed));
            var status = run.Find(parsed, catalog);
            var rows = Predict(catalog, status.Run, parsed.GetRequiredValue(_input), constituents.Read(parsed));
            if (output is not null) WriteFile(output, rows);
            else PredictionWriters.For(consoles.Out, json)(consoles.Out.Profile.Out.Writer, rows);
        });
    }

    private static PredictedRows Predict(IRunCatalog catalog, string run, string input, ConstituentChoice choice)
    {
        if (input == StandardInput)
        {
            using var stream = Console.OpenStandardInput();
            return catalog.Predict(run, choice, stream, "standard input");
        }

        if (Directory.Exists(input)) throw new UsageException($"--input {input} is a folder: it takes a CSV file.");
        if (!File.Exists(input)) throw new UsageException($"--input {input} does not exist: it takes a CSV file with the columns of the run's data.");
        using var file = File.OpenRead(input);
        return catalog.Predict(run, choice, file, input);
    }

    private static void WriteFile(string path, PredictedRows rows)
    {
        if (Directory.Exists(path)) throw new UsageException($"--output {path} is a folder: it takes the name of a CSV file.");
        AtomicFile.Write(path, stream =>
        {
            using var writer = new StreamWriter(stream, bufferSize: 1 << 16, leaveOpen: true);
            PredictionWriters.Csv(writer, rows);
        });
    }
}
