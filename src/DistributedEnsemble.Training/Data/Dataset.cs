using System.Text.Json.Nodes;
using DistributedEnsemble.Training.Images;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Tables;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Data;

/// <summary>A dataset that was read. Its samples live until it is disposed.</summary>
public sealed class Dataset : IDisposable
{
    /// <summary>The name of a registered dataset, or of a CSV file without its folder.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Over the source's raw bytes, lower-case hexadecimal. CSV: the file as it is. Built-in and IDX data: the uncompressed
    /// contents (of IDX, training images, training labels, test images, test labels, one after the other). Synthetic data:
    /// the rows before preprocessing, see there.
    /// </summary>
    public required string Sha256 { get; init; }

    /// <summary>Of one row: [features] or [channels, height, width].</summary>
    public required long[] InputShape { get; init; }

    /// <summary>Inputs that are indices of levels.</summary>
    public IReadOnlyList<EmbeddedInput> Embedded { get; init; } = [];

    /// <summary>What a network is given that embeds no numbers: how these are divided, the rows of a plan say.</summary>
    public NetworkInputs Inputs => new(InputShape, Embedded)
    {
        Features = Table is null ? [] : [.. Table.Features.Select(feature => feature.Inputs)],
    };

    /// <summary>The features' names: of a table's columns, or of the numbers of a row.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>What is predicted.</summary>
    public required LearningTask Task { get; init; }

    /// <summary>What was done to the raw rows.</summary>
    public required Preprocessing Preprocessing { get; init; }

    /// <summary>What its columns are, if it is a table.</summary>
    public TableDescription? Table { get; init; }

    /// <summary>How images became inputs, if it is a folder of them.</summary>
    public ImageDescription? Images { get; init; }

    /// <summary>What a spec says for this data unless its author says otherwise; null is as its source says.</summary>
    public JsonObject? Defaults { get; init; }

    /// <summary>The training rows, those of a later validation split among them.</summary>
    public required Samples Train { get; init; }

    public required Samples Test { get; init; }

    /// <summary>The same rows, for as long as these are there, with a number for their target in the units of another task.</summary>
    internal Dataset InUnitsOf(Regression task)
    {
        var own = (Regression)Task;
        return new Dataset
        {
            Name = Name, Sha256 = Sha256, InputShape = InputShape, Embedded = Embedded, Columns = Columns, Task = task, Preprocessing = Preprocessing,
            Table = Table, Images = Images, Defaults = Defaults, Train = Converted(Train), Test = Converted(Test),
        };

        Samples Converted(Samples samples) => samples with { Targets = [.. samples.Targets.Select(target => task.Converted(target, own))] };
    }

    public void Dispose()
    {
        Train.Dispose();
        Test.Dispose();
    }

    internal static string[] PixelNames(int count) => [.. Enumerable.Range(0, count).Select(pixel => $"pixel{pixel}")];
}
