using DistributedEnsemble.Messages;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;
using static DistributedEnsemble.Training.Exports.Onnx.OnnxGraph;
using static global::Onnx.TensorProto.Types;

namespace DistributedEnsemble.Training.Exports.Onnx;

/// <summary>
/// Raw rows, and the nodes that make a network's inputs of them. Numbers come in double, as tables are read; where all columns
/// are numbers, they are one matrix. Dates come as numbers, because no operator reads them: seconds since 1970 in UTC, or, of a
/// column of times alone, since midnight.
/// </summary>
/// <remarks>A new kind of column is one line and one method here.</remarks>
internal sealed class OnnxInputs(OnnxGraph graph, DataDescription data)
{
    /// <summary>The matrix of numbers, or the images.</summary>
    public const string Matrix = "input";

    private const string Absent = "NaN or an infinity is missing", Number = $"a number; {Absent}", Seconds = $"seconds since 1970-01-01 UTC; {Absent}",
        SecondsOfDay = $"seconds since midnight, or of a duration; {Absent}", Text = "text without spaces around it; empty is missing";

    /// <summary>Inputs in the order in which they are made, each with its place in a row.</summary>
    private readonly List<(string Value, int[] Places)> _parts = [];

    /// <returns>[rows, …input shape], float32.</returns>
    public string Prepared()
    {
        var inputs = data.Table is null ? Plain() : Columns([.. data.Features]);
        var preprocessing = data.Preprocessing;
        if (preprocessing.Scale != 1) inputs = graph.Node("Div", [inputs, graph.Constant([], preprocessing.Scale)]);
        if (preprocessing is not { Mean: { } mean, Deviation: { } deviation }) return inputs;
        inputs = graph.Node("Sub", [inputs, graph.Constant(data.InputShape, mean)]);
        return graph.Node("Div", [inputs, graph.Constant(data.InputShape, deviation)]);
    }

    private string Plain() => graph.Input(
        Matrix, DataType.Float, data.InputShape is [_, _, _] ? "images as [channels, height, width] of raw pixels" : $"numbers: {string.Join(", ", data.Columns)}",
        data.InputShape);

    private string Columns(ColumnEncoder[] features)
    {
        int[] starts = [.. features.Select((_, i) => features.Take(i).Sum(feature => feature.Inputs))];
        var numbers = features.Zip(starts).Where(feature => feature.First is NumberColumn).Select(feature => ((NumberColumn)feature.First, feature.Second)).ToArray();
        if (numbers.Length == features.Length)
        {
            Numbers(graph.Input(Matrix, DataType.Double, $"numbers, of which {Absent}: {string.Join(", ", features.Select(feature => feature.Name))}", features.Length), numbers);
        }
        else
        {
            // In the order of the table, whatever becomes of them.
            string[] given = [.. features.Select(Input)];
            if (numbers.Length > 0) Numbers(graph.Node("Concat", [.. features.Zip(given).Where(column => column.First is NumberColumn).Select(column => column.Second)], Attribute("axis", 1L)), numbers);
            foreach (var (feature, input, start) in features.Zip(given, starts))
            {
                switch (feature)
                {
                    case NumberColumn: break;
                    case DateTimeColumn date: Date(date, input, start); break;
                    case CategoryColumn category: Category(category, input, start); break;
                    default: throw Unknown(feature);
                }
            }
        }

        return InPlace();
    }

    private string Input(ColumnEncoder feature) => feature switch
    {
        NumberColumn => graph.Input(feature.Name, DataType.Double, Number, 1),
        DateTimeColumn date => graph.Input(feature.Name, DataType.Double, date.IsOfDay ? SecondsOfDay : Seconds, 1),
        CategoryColumn => graph.Input(feature.Name, DataType.String, Text, 1),
        _ => throw Unknown(feature),
    };

    /// <summary>All of them together: (x − mean) / deviation in double, and 1 for those that are missing.</summary>
    /// <param name="matrix">[rows, numbers], double.</param>
    private void Numbers(string matrix, (NumberColumn Column, int Start)[] numbers)
    {
        var missing = Missing(matrix);
        var standardised = Standardised(
            matrix, missing, [.. numbers.Select(number => number.Column.Mean)], [.. numbers.Select(number => number.Column.Deviation)]);
        _parts.Add((standardised, [.. numbers.Select(number => number.Start)]));
        if (numbers.Any(number => number.Column.Missing))
            _parts.Add((graph.Cast(missing, DataType.Float), [.. numbers.Select(number => number.Column.Missing ? number.Start + 1 : -1)]));
    }

    private void Date(DateTimeColumn date, string input, int start)
    {
        var missing = Missing(input);
        var seconds = date.IsOfDay ? graph.Node("Add", [input, graph.Constant([], DateForm.Seconds(DateTime.MinValue))]) : input;
        var calendar = new OnnxCalendar(graph, seconds);
        string[] values = [seconds, .. date.Parts.Select(part => calendar.Part(part.Part))];
        var standardised = Standardised(
            values is [var only] ? only : graph.Node("Concat", values, Attribute("axis", 1L)), missing,
            [date.Mean, .. date.Parts.Select(part => part.Mean)], [date.Deviation, .. date.Parts.Select(part => part.Deviation)]);
        _parts.Add((standardised, [.. Enumerable.Range(start, values.Length)]));
        if (date.Missing) _parts.Add((graph.Cast(missing, DataType.Float), [start + values.Length]));
    }

    private void Category(CategoryColumn category, string input, int start)
    {
        var places = category.Places();
        var place = graph.NodeOfTables(
            "LabelEncoder", [input], Attribute("keys_strings", places.Select(text => text.Key)), Attribute("values_int64s", places.Select(text => (long)text.Value)),
            Attribute("default_int64", (long)category.OtherPlace));
        var inputs = category.Inputs;
        if (category.Vector is not null)
        {
            _parts.Add((graph.Cast(place, DataType.Float), [start]));
            return;
        }

        // Unseen levels are all zeros where no training row taught what "other" is.
        var levels = new float[(category.OtherPlace + 1) * inputs];
        for (var level = 0; level < inputs; level++) levels[(level * inputs) + level] = 1;
        var ofRow = graph.Node("Squeeze", [place, graph.Constant([1], 1L)]);
        _parts.Add((graph.Node("Gather", [graph.Constant([category.OtherPlace + 1, inputs], levels), ofRow]), [.. Enumerable.Range(start, inputs)]));
    }

    /// <summary>Of not a number, and of infinities, which files of tables have where something was divided by zero.</summary>
    private string Missing(string values) => graph.Node("Not", [graph.Node("Less", [graph.Node("Abs", [values]), graph.Constant([], double.PositiveInfinity)])]);

    private string Standardised(string values, string missing, double[] means, double[] deviations)
    {
        var distance = graph.Node("Sub", [values, graph.Constant([1, means.Length], means)]);
        var standardised = graph.Node("Div", [distance, graph.Constant([1, means.Length], deviations)]);
        return graph.Cast(graph.Node("Where", [missing, graph.Constant([], 0.0), standardised]), DataType.Float);
    }

    /// <summary>The parts side by side, each input in its place.</summary>
    private string InPlace()
    {
        var all = _parts is [var only] ? only.Value : graph.Node("Concat", [.. _parts.Select(part => part.Value)], Attribute("axis", 1L));
        int[] places = [.. _parts.SelectMany(part => part.Places)];
        long[] order = [.. Enumerable.Range(0, places.Max() + 1).Select(place => (long)Array.IndexOf(places, place))];
        return order.Length == places.Length && order.Index().All(place => place.Index == place.Item) ? all
            : graph.Node("Gather", [all, graph.Constant([order.Length], order)], Attribute("axis", 1L));
    }

    private static SpecException Unknown(ColumnEncoder feature) => new(
        $"The column {OneLine.Quoted(feature.Name)} is of the kind {ColumnKinds.NameOf(feature)}: ONNX knows nothing of it. Export this run as safetensors.");
}
