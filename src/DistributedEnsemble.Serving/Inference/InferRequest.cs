using System.Collections.Immutable;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>A request of the Open Inference Protocol v2, read and checked.</summary>
internal sealed record InferRequest
{
    /// <summary>The client's own name for it, to be repeated in the answer.</summary>
    public string? Id { get; init; }

    /// <summary>Raw numbers, row after row.</summary>
    public required ImmutableArray<float> Rows { get; init; }

    /// <summary>A table's rows, column by column, in place of <see cref="Rows"/>.</summary>
    public ImmutableArray<RowColumn> Columns { get; init; } = [];

    public required int RowCount { get; init; }

    /// <summary>What the rows take of memory, about.</summary>
    public long RowBytes => (sizeof(float) * (long)Rows.Length)
        + (Columns.IsEmpty ? 0 : Columns.Sum(column => (sizeof(double) * (long)column.Numbers.Length) + column.Texts.Sum(text => BytesOfText(text.Length))));

    /// <summary>What a text of so many characters takes of memory, about.</summary>
    public static long BytesOfText(int length) => TextOverhead + (sizeof(char) * (long)length);

    /// <summary>What a text takes beside its characters: its object, and the reference to it.</summary>
    private const int TextOverhead = 40;

    public required InferParameters Parameters { get; init; }

    public required ImmutableArray<RequestedOutput> Outputs { get; init; }
}

/// <param name="IsBinary">Whether its numbers come behind the JSON instead of in it.</param>
internal sealed record RequestedOutput(OutputTensor Tensor, bool IsBinary);

/// <summary>What a request says besides its rows.</summary>
internal sealed record InferParameters
{
    public ConstituentChoice Choice { get; init; } = new();
    public bool Calibrated { get; init; }

    /// <summary>The share of rows that intervals shall hold.</summary>
    public double Coverage { get; init; } = PredictionRequest.DefaultCoverage;

    /// <summary>Whether outputs are binary that do not say it themselves; null leaves it to the protocol.</summary>
    public bool? BinaryOutput { get; init; }

    /// <summary>When the client stops waiting; null leaves it to the server.</summary>
    public TimeSpan? Timeout { get; init; }
}
