using System.Globalization;
using System.Numerics;
using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace DistributedEnsemble.Training.Tests.Tables;

/// <summary>A table with a column of each type, as Parquet and as text.</summary>
internal static class ParquetTables
{
    public const int Rows = 120;

    private const int RowsPerGroup = 50;

    private static readonly DataField<int> s_count = new("count");
    private static readonly DataField<long?> s_long = new("long");
    private static readonly DataField<double?> s_width = new("width");
    private static readonly DataField<float> s_share = new("share");
    private static readonly DataField<string> s_shape = new("shape");
    private static readonly DataField<string> s_zip = new("zip");
    private static readonly DataField<bool> s_open = new("open");
    private static readonly DateTimeDataField s_when = new("when", DateTimeFormat.Timestamp, unit: DateTimeTimeUnit.Micros);
    private static readonly DataField<DateOnly?> s_day = new("day");
    private static readonly DecimalDataField s_price = new("price", 18, 2, isNullable: true);
    private static readonly DataField<string> s_label = new("label");
    private static readonly DataField<double> s_y = new("y");

    /// <summary>Of the same content as <see cref="OfParquet"/>.</summary>
    public static string OfText { get; } = TextTables.Rows(
        "count,long,width,share,shape,zip,open,when,day,price,label,y",
        i => string.Create(CultureInfo.InvariantCulture,
            $"{Count(i)},{Long(i)},{Width(i)},{Share(i)},{Shape(i)},{Zip(i)},{(IsOpen(i) ? "true" : "false")},{When(i):yyyy-MM-ddTHH:mm:ss.FFFFFFF},{Day(i):yyyy-MM-dd},{Price(i)},{Label(i)},{Y(i)}"),
        Rows);

    /// <summary>The table in several row groups, the last of which is shorter.</summary>
    public static async Task<byte[]> OfParquet(CompressionMethod compression = CompressionMethod.Snappy)
    {
        using var stream = new MemoryStream();
        var schema = new ParquetSchema(s_count, s_long, s_width, s_share, s_shape, s_zip, s_open, s_when, s_day, s_price, s_label, s_y);
        await using (var writer = await ParquetWriter.CreateAsync(schema, stream, new ParquetOptions { CompressionMethod = compression }))
        {
            foreach (var rows in Enumerable.Range(0, Rows).Chunk(RowsPerGroup))
            {
                using var group = writer.CreateRowGroup();
                await group.WriteAsync<int>(s_count, Array.ConvertAll(rows, Count));
                await group.WriteAsync<long>(s_long, Array.ConvertAll(rows, Long));
                await group.WriteAsync<double>(s_width, Array.ConvertAll(rows, Width));
                await group.WriteAsync<float>(s_share, Array.ConvertAll(rows, Share));
                await group.WriteAsync(s_shape, Array.ConvertAll(rows, Shape)!);
                await group.WriteAsync(s_zip, Array.ConvertAll(rows, Zip));
                await group.WriteAsync<bool>(s_open, Array.ConvertAll(rows, IsOpen));
                await group.WriteAsync<DateTime>(s_when, Array.ConvertAll(rows, When));
                await group.WriteAsync<DateOnly>(s_day, Array.ConvertAll(rows, Day));
                await group.WriteAsync<decimal>(s_price, Array.ConvertAll(rows, Price));
                await group.WriteAsync(s_label, Array.ConvertAll(rows, Label));
                await group.WriteAsync<double>(s_y, Array.ConvertAll(rows, Y));
            }
        }

        return stream.ToArray();
    }

    /// <summary>50 rows of decimals of 38 digits, ten of them behind the point, and of a target.</summary>
    /// <param name="digits">Of a row, as a whole number.</param>
    public static async Task<byte[]> OfDecimals(Func<int, BigInteger> digits)
    {
        var (wide, y) = (new BigDecimalDataField("wide", 38, 10), new DataField<double>("y"));
        int[] rows = [.. Enumerable.Range(0, 50)];
        using var stream = new MemoryStream();
        await using (var writer = await ParquetWriter.CreateAsync(new ParquetSchema(wide, y), stream))
        {
            using var group = writer.CreateRowGroup();
            await group.WriteAsync<BigDecimal>(wide, Array.ConvertAll(rows, i => new BigDecimal(digits(i), 38, 10)));
            await group.WriteAsync<double>(y, Array.ConvertAll(rows, i => i / 4.0));
        }

        return stream.ToArray();
    }

    private static int Count(int i) => i * 37 % 41;

    private static long? Long(int i) => i % 7 == 2 ? null : 10_000_000_000L * (i * i % 23);

    private static double? Width(int i) => i % 11 == 3 ? null : (i * i % 37 / 7.0) - 1;

    private static float Share(int i) => i * 13 % 17 / 10f;

    private static string? Shape(int i) => (i % 4) switch { 0 => null, 1 => "tall", 2 => "größer", _ => "wide" };

    private static string Zip(int i) => $"z{i % 31}";

    private static bool IsOpen(int i) => i % 5 < 2;

    private static DateTime When(int i) => new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddMinutes(i * 977).AddMilliseconds(i % 3 * 250);

    private static DateOnly? Day(int i) => i % 9 == 4 ? null : new DateOnly(2020, 2, 28).AddDays(i * 53 % 700);

    private static decimal? Price(int i) => i % 13 == 5 ? null : (i * 29 % 101) + 0.25m;

    private static string Label(int i) => "ab"[i / 3 % 2].ToString();

    private static double Y(int i) => (i * 7 % 50 / 3.0) + (IsOpen(i) ? 5 : 0);
}
