using System.Globalization;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Benchmarks.Regression;

/// <summary>A table of numbers whose last column is the target, with published rows of test splits.</summary>
internal sealed class PublishedTable
{
    private readonly double[][] _rows;

    private PublishedTable(string name, double[][] rows, int[][] splits) => (Name, _rows, Splits) = (name, rows, splits);

    public string Name { get; }

    /// <summary>The test rows of each split.</summary>
    public int[][] Splits { get; }

    public int Rows => _rows.Length;

    public int Features => _rows[0].Length - 1;

    /// <param name="folder">Has NAME.csv and NAME-splits.txt.</param>
    public static PublishedTable Read(string folder, string name) => new(
        name,
        [.. File.ReadLines(Path.Combine(folder, $"{name}.csv")).Skip(1)
            .Select(line => line.Split(',').Select(cell => double.Parse(cell, CultureInfo.InvariantCulture)).ToArray())],
        [.. File.ReadLines(Path.Combine(folder, $"{name}-splits.txt")).Where(line => !line.StartsWith('#') && line.Length > 0)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(cell => int.Parse(cell, CultureInfo.InvariantCulture)).ToArray())]);

    /// <summary>One split, features and target standardised by its training rows.</summary>
    public Dataset Load(int split)
    {
        var tests = Splits[split].ToHashSet();
        double[][] train = [.. _rows.Where((_, row) => !tests.Contains(row))], test = [.. Splits[split].Select(row => _rows[row])];
        var task = Training.Tasks.Regression.Of([.. train.Select(row => row[^1])], "y");
        var means = Enumerable.Range(0, Features).Select(i => train.Average(row => row[i])).ToArray();
        var deviations = means.Select((mean, i) => Math.Sqrt(train.Average(row => Math.Pow(row[i] - mean, 2)))).Select(d => d > 0 ? d : 1).ToArray();
        return new Dataset
        {
            Name = Name,
            Sha256 = new string('0', 64),
            InputShape = [Features],
            Columns = [.. Enumerable.Range(1, Features).Select(i => $"x{i}")],
            Task = task,
            Preprocessing = Preprocessing.None,
            Train = Samples(train),
            Test = Samples(test),
        };

        Samples Samples(double[][] rows)
        {
            float[] inputs = [.. rows.SelectMany(row => means.Select((mean, i) => (float)((row[i] - mean) / deviations[i])))];
            return new Samples(NativeVector.Of(inputs), [.. rows.Select(row => task.Standardise(row[^1]))]);
        }
    }
}
