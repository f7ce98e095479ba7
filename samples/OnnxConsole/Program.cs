// Predicts rows with an exported ensemble: `ensemble export R --format onnx`, then `dotnet run -- R.onnx rows.csv`.
using System.Globalization;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

if (args.Length != 2)
{
    Console.Error.WriteLine("It takes two files: R.onnx, and rows.csv with plain commas and the columns' names in the first line.");
    return 2;
}

string[][] lines = [.. File.ReadLines(args[1]).Select(line => line.Split(','))];
var (names, rows) = (lines[0], lines[1..]);
using var session = new InferenceSession(args[0]);
// A table's file names its columns: one for each input, or all for the only one. One of an older version has the inputs' names alone. Of images all cells are pixels.
var isOne = session.InputNames.Count == 1;
var columns = session.ModelMetadata.CustomMetadataMap.TryGetValue("columns", out var list) ? JsonSerializer.Deserialize<string[]>(list) : isOne ? null : session.InputNames;
int[] places = [.. columns?.Select(column => Array.IndexOf(names, column)) ?? Enumerable.Range(0, names.Length)];
if (Array.IndexOf(places, -1) is >= 0 and var lacking)
{
    Console.Error.WriteLine($"{args[1]} lacks the column {columns![lacking]}.");
    return 1;
}

using var answers = session.Run([.. session.InputNames.Select((name, i) => Value(name, session.InputMetadata[name], isOne ? places : [places[i]]))]);
var values = answers.Select(answer => answer.Value is Tensor<string> texts ? (object[])[.. texts] : [.. answer.AsEnumerable<float>()]);
var table = answers.Zip(values, (answer, cells) => (answer.Name, Cells: cells.Chunk(cells.Length / rows.Length).ToArray())).ToArray();
for (var row = 0; row < rows.Length; row++) Console.WriteLine(string.Join(' ', table.Select(column => $"{column.Name}={string.Join(',', column.Cells[row])}")));
return 0;

// An empty cell is missing.
NamedOnnxValue Value(string name, NodeMetadata input, int[] places)
{
    string[] cells = [.. rows.SelectMany(row => places.Select(place => row[place]))];
    int[] shape = [rows.Length, .. input.Dimensions[1..]];
    return input.ElementType == typeof(string) ? NamedOnnxValue.CreateFromTensor(name, new DenseTensor<string>(cells, shape))
        : input.ElementType == typeof(float) ? NamedOnnxValue.CreateFromTensor(name, new DenseTensor<float>(Array.ConvertAll(cells, cell => float.Parse(cell, CultureInfo.InvariantCulture)), shape))
        : NamedOnnxValue.CreateFromTensor(name, new DenseTensor<double>(Array.ConvertAll(cells, cell => cell is "" ? double.NaN : double.Parse(cell, CultureInfo.InvariantCulture)), shape));
}
