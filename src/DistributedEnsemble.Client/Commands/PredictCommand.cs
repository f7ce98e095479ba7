using System.CommandLine;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Servers;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Serving.Processes;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Images;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Client.Commands;

internal sealed class PredictCommand : DriverCommand
{
    private const string StandardInput = "-";
    private const int LongestNote = 2000;

    private readonly Option<string?> _input = new("--input")
    {
        Description = "A table with the columns of the run's data, raw values; of a run on images an image, or a folder of them; - is standard input.",
        HelpName = "rows.csv",
    };

    private readonly Option<bool> _outOfFold = new("--out-of-fold")
    {
        Description = "Predict the rows that trained the run, each by the members that did not see it: of runs with --folds or --bootstrap.",
    };

    private readonly Option<string?> _output = new("--output")
    {
        Description = "Write CSV to this file [default: standard output, as a table on a terminal]", HelpName = "out.csv",
    };

    private readonly Option<string?> _keep = new("--keep")
    {
        Description = "Columns of the input to write beside the predictions, or all [default: those that the run does not know]", HelpName = "A,B",
    };

    private readonly Option<string?> _url = new("--url")
    {
        Description = "Ask the server at this address, started by `ensemble serve` [default: predict in this process]", HelpName = "http://…",
    };

    private readonly Option<double?> _coverage = new("--coverage")
    {
        Description = "The share of rows that lower and upper of a regression shall hold [default: 0.9]", HelpName = "0.9",
        CustomParser = result => OptionValues.Share(result, "--coverage", "a coverage"),
    };

    public PredictCommand(Backend backend, SharedOptions shared, Consoles consoles, Func<Interruption> listen)
        : base(
            "predict", "Predicts rows: the class, averaged probabilities, and how unsure they are.",
            "ensemble predict digits-1 --input rows.csv", "ensemble predict digits-1 --input rows.csv --output out.csv",
            "ensemble predict houses-1 --input rows.csv --keep all --output out.csv",
            "ensemble predict digits-1 --input rows.csv --mc 20 --json", "ensemble predict digits-1 --out-of-fold --output rows.csv",
            "ensemble predict digits-1 --input rows.csv --url http://127.0.0.1:8000")
    {
        var run = new NamedRun(shared);
        var constituents = new ConstituentOptions();
        Add(run.Argument);
        Add(_input);
        Add(_outOfFold);
        _output.RefuseEmpty("a file");
        Add(_output);
        Add(_keep);
        Add(_url);
        Add(_coverage);
        constituents.AddTo(this, withEarlyExit: true);
        SetAction((parsed, _) =>
        {
            var (output, json) = (parsed.GetValue(_output), shared.Json(parsed));
            if (output is not null && json) throw new UsageException("--output writes CSV, and --json prints JSON: give one of the two.");
            Func<CancellationToken, int> predict = parsed.GetValue(_outOfFold) ? PredictOutOfFold : Predict;
            return Stoppable.RunAsync(
                listen, consoles, $"Stopped before all rows were predicted: {(output is null ? "those above are not all" : $"{output} is as it was")}.", predict);

            int Predict(CancellationToken cancellation)
            {
                var input = parsed.GetValue(_input) ?? throw new UsageException("--input, or --out-of-fold, is required. Try `ensemble predict --help`.");
                using var server = parsed.GetValue(_url) is { } url ? new PredictionServer(url) : null;
                var catalog = server is null ? backend.OpenCatalog(shared.Read(parsed)) : null;
                var status = catalog is null ? null : run.Find(parsed, catalog, cancellation);
                IRowBatches? rows = null;
                string[] keep = parsed.GetValue(_keep)?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
                Read(input, keep, open =>
                {
                    if (catalog is not null) catalog.Predict(status!.Run, constituents.Read(parsed), parsed.GetValue(_coverage), Open, Write, cancellation);
                    else server!.Predict(parsed.GetRequiredValue(run.Argument), constituents.Read(parsed), parsed.GetValue(_coverage), Open, Write, cancellation);

                    IRowBatches Open(DataDescription data) => rows = open(data);
                });
                foreach (var note in rows?.Notes ?? []) consoles.Error.WriteRaw($"Note: {OneLine.Of(note, LongestNote)}");
                return ExitCode.Ok;
            }

            int PredictOutOfFold(CancellationToken cancellation)
            {
                if (parsed.GetValue(_input) is not null) throw new UsageException("--out-of-fold predicts the rows that trained the run, and --input brings others: give one of the two.");
                if (parsed.GetValue(_keep) is not null) throw new UsageException("--keep names columns of --input, and --out-of-fold predicts the rows that trained the run: give one of the two.");
                if (parsed.GetValue(_url) is not null) throw new UsageException("--out-of-fold takes the run's own data, which a server at --url does not hand out: ask the run's folder, or its --cluster.");
                var runs = backend.OpenCatalog(shared.Read(parsed));
                Write(runs.PredictOutOfFold(run.Find(parsed, runs, cancellation).Run, constituents.Read(parsed), parsed.GetValue(_coverage), cancellation));
                return ExitCode.Ok;
            }

            void Write(PredictedRows rows)
            {
                if (output is not null) consoles.Out.WriteRaw($"{Words.Plural(WriteFile(output, rows), "row")} in {output}");
                else PredictionWriters.For(consoles.Out, json)(consoles.Out.Profile.Out.Writer, rows);
            }
        });
    }

    private static void Read(string input, string[] keep, Action<Func<DataDescription, IRowBatches>> predict)
    {
        if (input == StandardInput)
        {
            using var stream = StandardStreams.OpenInput();
            predict(data => PredictedTable.Open(stream, "standard input", data, keep));
            return;
        }

        if (!File.Exists(input) && !Directory.Exists(input))
            throw new UsageException($"--input {input} does not exist: it takes a table with the columns of the run's data, or images as the run was trained on.");
        if (PredictedImages.IsMeantBy(input))
        {
            if (keep.Length > 0) throw new UsageException("--keep names columns of a table, and --input is of images: each is named by its file.");
            predict(data => PredictedImages.Open(input, data));
            return;
        }

        using var file = File.OpenRead(input);
        predict(data => PredictedTable.Open(file, input, data, keep));
    }

    /// <returns>The rows.</returns>
    private static long WriteFile(string path, PredictedRows rows)
    {
        if (Directory.Exists(path)) throw new UsageException($"--output {path} is a folder: it takes the name of a CSV file.");
        return AtomicFile.Write(path, stream =>
        {
            using var writer = new StreamWriter(stream, bufferSize: 1 << 16, leaveOpen: true);
            return PredictionWriters.Csv(writer, rows);
        });
    }
}
