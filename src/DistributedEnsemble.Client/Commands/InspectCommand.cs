using System.CommandLine;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Serving.Processes;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Client.Commands;

internal sealed class InspectCommand : DriverCommand
{
    private readonly Argument<string> _file = new("file") { Description = "A table, as CSV, TSV (also .gz) or Parquet.", HelpName = "FILE" };

    public InspectCommand(SharedOptions shared, Consoles consoles, Func<Interruption> listen)
        : base(
            "inspect", "Shows what training would make of a table: its dialect, columns, target and task. Trains nothing.",
            "ensemble inspect houses.csv", "ensemble inspect houses.csv --target price --json")
    {
        _file.RefuseOptions();
        Add(_file);
        var spec = new SpecArguments();
        foreach (var option in spec.DataOptions) Add(option);
        SetAction((parsed, _) => Stoppable.RunAsync(listen, consoles, "Stopped before the table was read.", _ =>
        {
            var path = parsed.GetRequiredValue(_file);
            if (Directory.Exists(path)) throw new UsageException($"{path} is a folder: inspect takes the file of a table.");
            var data = SpecDocument.Empty.With(spec.Overrides(parsed)).Data;
            var table = TableInspection.Of(path, new DataFolders(shared.Read(parsed).DataFolder), data);
            if (shared.Json(parsed)) consoles.Out.WriteJson(InspectionReport.Of(table));
            else InspectionTable.Write(consoles.Out, table, note => FlagWords.Of(note, parsed));
            if (table.Problem is null) return ExitCode.Ok;
            consoles.Error.WriteRaw(FlagWords.Of(table.Problem, parsed));
            return ExitCode.Usage;
        }));
    }

    /// <summary>What inspect prints with --json.</summary>
    private sealed record InspectionReport(
        string File, TableFormat Format, long Rows, long RowsWithoutTarget, string? Target, string? Task, string? Networks,
        IReadOnlyList<InspectedColumn> Columns, IReadOnlyList<string> Notes)
    {
        public static InspectionReport Of(TableInspection table) => new(
            table.File, table.Format, table.Rows, table.RowsWithoutTarget, table.Target, table.Task?.ToString().ToLowerInvariant(), table.Networks, table.Columns, table.Notes);
    }
}
