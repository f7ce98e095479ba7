using System.Text.Json.Serialization;

namespace DistributedEnsemble.Training.Tables;

/// <summary>How a table is written down: its dialect, found by looking at its beginning.</summary>
/// <param name="Separator">Between cells: one of , ; tab |. Null of Parquet.</param>
/// <param name="Decimal">The decimal point: a point or a comma.</param>
/// <param name="Quote">Around cells that hold a separator: " or '. Null of Parquet.</param>
/// <param name="Header">Whether the first line names the columns.</param>
/// <param name="Encoding">utf-8, utf-16le or utf-16be; parquet of Parquet.</param>
/// <param name="Compression">gzip or none.</param>
public sealed record TableFormat(char? Separator, char Decimal, char? Quote, bool Header, string Encoding, string Compression)
{
    public const string Gzip = "gzip", Uncompressed = "none", Utf8 = "utf-8", Utf16Little = "utf-16le", Utf16Big = "utf-16be", ParquetFile = "parquet";

    /// <summary>Comments and the like before the first row.</summary>
    [JsonIgnore]
    public int LinesBefore { get; init; }

    /// <summary>Whether each row ends with a separator that no cell follows.</summary>
    [JsonIgnore]
    public bool EndsWithSeparator { get; init; }

    [JsonIgnore]
    public bool IsParquet => Encoding == ParquetFile;

    /// <summary>Tables as this program reads them where nothing else is said.</summary>
    public static TableFormat Plain { get; } = new(',', '.', '"', true, Utf8, Uncompressed);

    /// <summary>For people.</summary>
    public override string ToString() => IsParquet
        ? "Parquet"
        : $"{Separator switch { ',' => "comma", ';' => "semicolon", '\t' => "tab", '|' => "bar", _ => $"\"{Separator}\"" }}-separated, "
            + $"decimal {(Decimal == ',' ? "comma" : "point")}, quotes {Quote}, {(Header ? "a header" : "no header")}, {Encoding}"
            + (Compression == Gzip ? ", gzip" : "");
}
