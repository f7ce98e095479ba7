using System.Text.Json.Serialization;

namespace DistributedEnsemble.Training.Tables;

/// <summary>How a table is written down: its dialect, found by looking at its beginning.</summary>
/// <param name="Separator">Between cells: one of , ; tab |, or a blank for any number of blanks and tabs. Null of Parquet.</param>
/// <param name="Decimal">The decimal point: a point or a comma.</param>
/// <param name="Quote">Around cells that hold a separator: " or '. Null of Parquet.</param>
/// <param name="Header">Whether the first line names the columns.</param>
/// <param name="Encoding">utf-8, utf-16le, utf-16be, or windows-1252 of bytes that are no UTF-8; parquet of Parquet.</param>
/// <param name="Compression">gzip or none.</param>
public sealed record TableFormat(char? Separator, char Decimal, char? Quote, bool Header, string Encoding, string Compression)
{
    public const char Blank = ' ';

    public const string Gzip = "gzip", Uncompressed = "none", Utf8 = "utf-8", Utf16Little = "utf-16le", Utf16Big = "utf-16be", Western = "windows-1252", ParquetFile = "parquet";

    /// <summary>Comments and the like before the first row.</summary>
    [JsonIgnore]
    public int LinesBefore { get; init; }

    /// <summary>Whether a line of dashes stands under the names.</summary>
    [JsonIgnore]
    public bool HasRule { get; init; }

    /// <summary>Whether each row ends with a separator that no cell follows.</summary>
    [JsonIgnore]
    public bool EndsWithSeparator { get; init; }

    /// <summary>Whether the header names all columns but the first, which holds the names of rows: so writes R.</summary>
    [JsonIgnore]
    public bool HasRowNames { get; init; }

    [JsonIgnore]
    public bool IsParquet => Encoding == ParquetFile;

    /// <summary>Tables as this program reads them where nothing else is said.</summary>
    public static TableFormat Plain { get; } = new(',', '.', '"', true, Utf8, Uncompressed);

    /// <summary>For people.</summary>
    public override string ToString() => IsParquet
        ? "Parquet"
        : $"{Separator switch { ',' => "comma", ';' => "semicolon", '\t' => "tab", '|' => "bar", Blank => "blank", _ => $"\"{Separator}\"" }}-separated, "
            + $"decimal {(Decimal == ',' ? "comma" : "point")}, quotes {Quote}, {(Header ? "a header" : "no header")}, {Encoding}"
            + (Compression == Gzip ? ", gzip" : "");
}
