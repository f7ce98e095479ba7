using System.Collections.Immutable;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Training.Tables;

/// <summary>
/// A table whose rows are to be predicted, which may be written otherwise than the one that was trained on. Its columns are
/// matched by name, in any order, and those that the run does not know are passed on to the output.
/// </summary>
internal sealed class PredictedTable : IRowBatches
{
    /// <summary>In place of names: all columns are kept.</summary>
    public const string All = "all";

    private readonly ITableRows _rows;
    private readonly DataDescription _data;
    private readonly FeatureCells _features;
    private readonly int[] _passed;
    private readonly Stream? _copy;
    private char[] _text = new char[64];

    private PredictedTable(ITableRows rows, string file, DataDescription data, IReadOnlyList<string> keep, Stream? copy)
    {
        (_rows, _data, _copy) = (rows, data, copy);
        _features = FeatureCells.Match(rows.Columns, data.Features, file);
        var known = data.Columns.Append(data.Task.Target ?? "label").ToHashSet();
        HashSet<string> kept = keep is [All] ? [.. rows.Columns] : [.. keep.Select(name => rows.Columns[NamedColumns.Place(rows.Columns, name, "kept beside its prediction", file)])];
        _passed = [.. rows.Columns.Index().Where(column => !known.Contains(column.Item) || kept.Contains(column.Item)).Select(column => column.Index)];
        PassedColumns = [.. _passed.Select(place => rows.Columns[place])];
    }

    /// <summary>The names of the columns that the run does not know, and of those that are to be kept.</summary>
    public IReadOnlyList<string> PassedColumns { get; }

    /// <param name="table">Read from its beginning; one that cannot be read twice is copied aside first.</param>
    /// <param name="file">What errors call it.</param>
    /// <param name="keep">Columns that the run knows, and that are passed on all the same; or <see cref="All"/>.</param>
    /// <exception cref="DataException">A column is missing, or the file is no table.</exception>
    public static PredictedTable Open(Stream table, string file, DataDescription data, IReadOnlyList<string>? keep = null)
    {
        var copy = table.CanSeek ? null : Aside(table);
        var source = copy ?? table;
        var bytes = new TableFile(file, () =>
        {
            source.Position = 0;
            return new PrefixedStream(ReadOnlyMemory<byte>.Empty, source, leaveOpen: true);
        });
        try
        {
            return new PredictedTable(bytes.Read(Format(bytes, data)), file, data, keep ?? [], copy);
        }
        catch
        {
            copy?.Dispose();
            throw;
        }
    }

    /// <summary>The rows, in batches of <see cref="BatchedPrediction.BatchSize"/>.</summary>
    /// <exception cref="DataException">A row breaks a rule, or a cell does not fit its column.</exception>
    public IEnumerable<TableBatch> Batches()
    {
        var width = (int)_data.Inputs.Width;
        TableBatch? batch = null;
        while (_rows.Read())
        {
            batch ??= new TableBatch(width);
            _features.Encode(_rows, batch.Add());
            batch.Passed.Add([.. _passed.Select(place => _rows[place].Text(ref _text).ToString())]);
            if (_data.Table is not null) batch.Cells.Add(_features.Texts(_rows));
            if (batch.Rows < BatchedPrediction.BatchSize) continue;
            yield return batch;
            batch = null;
        }

        if (batch is not null) yield return batch;
    }

    /// <summary>A batch as a server of the run wants it: column by column.</summary>
    public ImmutableArray<RowColumn> Columns(TableBatch batch) =>
        [.. _data.Features.Select((feature, i) => new RowColumn(feature.Name, [], [.. batch.Cells.Select(row => row[i])]))];

    public void Dispose()
    {
        _rows.Dispose();
        _copy?.Dispose();
    }

    private static FileStream Aside(Stream table)
    {
        var copy = new FileStream(Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);
        table.CopyTo(copy);
        return copy;
    }

    private static TableFormat Format(TableFile bytes, DataDescription data)
    {
        var format = bytes.Detect(header: true);
        if (data.Table is not { Format.Header: false }) return format;

        // Its columns have no names but their places, unless somebody wrote these down.
        var names = bytes.Names(format);
        return format with { Header = data.Features.All(feature => names.Contains(feature.Name)) };
    }
}

/// <summary>Some rows of a table.</summary>
internal sealed class TableBatch(int width)
{
    private float[] _inputs = new float[width * 8];

    public int Rows { get; private set; }

    /// <summary>Inputs before the run's preprocessing, row after row.</summary>
    public ReadOnlySpan<float> Inputs => _inputs.AsSpan(0, Rows * width);

    /// <summary>Of each row, the cells of the columns that are passed on.</summary>
    public List<string[]> Passed { get; } = [];

    /// <summary>Of each row, the features' cells with a decimal point.</summary>
    internal List<string[]> Cells { get; } = [];

    internal Span<float> Add()
    {
        if ((Rows + 1) * width > _inputs.Length) Array.Resize(ref _inputs, _inputs.Length * 2);
        return _inputs.AsSpan(Rows++ * width, width);
    }
}
