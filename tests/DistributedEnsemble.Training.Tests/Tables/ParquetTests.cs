using System.Globalization;
using System.Numerics;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;
using Parquet;
using Parquet.Schema;

namespace DistributedEnsemble.Training.Tests.Tables;

public class ParquetTests
{
    [Theory]
    [InlineData(CompressionMethod.None, "label")]
    [InlineData(CompressionMethod.Gzip, "label")]
    [InlineData(CompressionMethod.Snappy, "label")]
    [InlineData(CompressionMethod.Snappy, "y")]
    public async Task Parquet_trains_as_text_of_the_same_content(CompressionMethod compression, string target)
    {
        var bytes = await ParquetTables.OfParquet(compression);
        var options = new DataSpec { Target = target };
        using var parquet = TableLoading.Load(TextTables.File(bytes, "rows.parquet"), null, "rows.parquet", TextTables.Whole(options), recorded: null);
        using var text = TextTables.Load(ParquetTables.OfText, options);

        Assert.Equal(text.Table!.Columns, parquet.Table!.Columns);
        Assert.Equal(text.Table.Notes, parquet.Table.Notes);
        Assert.Equal(text.Task, parquet.Task);
        Assert.Equal(text.Train.Inputs(), parquet.Train.Inputs());
        Assert.Equal(text.Test.Inputs(), parquet.Test.Inputs());
        Assert.Equal(text.Train.Targets, parquet.Train.Targets);
        Assert.Equal(text.Test.Targets, parquet.Test.Targets);
        Assert.Equal(ParquetTables.Rows, parquet.Train.Count + parquet.Test.Count);
    }

    [Fact]
    public async Task A_run_of_either_predicts_both_alike()
    {
        var bytes = await ParquetTables.OfParquet();
        using var data = TextTables.Load(ParquetTables.OfText, new DataSpec { Target = "y" });
        using var own = TableLoading.Load(TextTables.File(bytes), null, "rows.parquet", TextTables.Whole(new DataSpec { Target = "y" }), recorded: null);

        var expected = Read(System.Text.Encoding.UTF8.GetBytes(ParquetTables.OfText), DataDescription.Of(data, 0));

        Assert.Equal(ParquetTables.Rows * (int)DataDescription.Of(data, 0).Inputs.Width, expected.Length);
        Assert.Equal(expected, Read(bytes, DataDescription.Of(data, 0)));
        Assert.Equal(expected, Read(bytes, DataDescription.FromJson(DataDescription.Of(own, 0).ToJson())));
    }

    [Theory]
    [InlineData("True", "False")]
    [InlineData("TRUE", "FALSE")]
    [InlineData("true", "false")]
    public void Booleans_are_the_levels_that_they_are_in_Parquet_however_a_program_spells_them(string yes, string no)
    {
        using var data = TextTables.Load(TextTables.Rows("is,y", i => $"{(i % 3 == 0 ? "true" : "false")},{(i % 2 == 0 ? "True" : "False")}"), new DataSpec { Target = "y" });
        var description = DataDescription.Of(data, 0);

        Assert.Equal([0f, 1], Read(System.Text.Encoding.UTF8.GetBytes($"is\n{yes}\n"), description));
        Assert.Equal([1f, 0], Read(System.Text.Encoding.UTF8.GetBytes($"is\n{no}\n"), description));
        var target = TargetColumn.Of(data.Task, "y");
        Assert.Equal([1f, 0], [target.Read(new Cell(System.Text.Encoding.UTF8.GetBytes(yes)), out _), target.Read(new Cell(System.Text.Encoding.UTF8.GetBytes(no)), out _)]);
    }

    /// <summary>Spark and DuckDB write 38 digits, of which .NET's decimal holds 29.</summary>
    [Fact]
    public async Task Decimals_of_38_digits_are_the_numbers_that_they_are_as_text()
    {
        static string Text(int i) => $"{(i % 3 == 0 ? "-" : "")}{i * 37 % 41}12345678901234567890123456.{i:00}34567891";
        var bytes = await ParquetTables.OfDecimals(i => BigInteger.Parse(Text(i).Replace(".", "", StringComparison.Ordinal), CultureInfo.InvariantCulture));

        var expected = TextTables.Survey(TextTables.Rows("wide,y", i => string.Create(CultureInfo.InvariantCulture, $"{Text(i)},{i / 4.0}"))).Column("wide");
        Assert.Equal(expected, TableSurvey.Of(TextTables.File(bytes, "rows.parquet"), TextTables.Whole(), hasTest: false).Column("wide"));
    }

    [Fact]
    public async Task Parquet_that_is_cut_short_is_told_in_one_line()
    {
        var bytes = await ParquetTables.OfParquet();
        foreach (var length in new[] { 4, 8, 100, bytes.Length / 2, bytes.Length - 1 })
        {
            var message = Assert.Throws<DataException>(() => TableSurvey.Of(TextTables.File(bytes[..length], "rows.parquet"), TextTables.Whole(), hasTest: false)).Message;
            Assert.StartsWith("rows.parquet cannot be read as Parquet: ", message);
            Assert.DoesNotContain('\n', message);
        }
    }

    [Fact]
    public async Task More_columns_than_a_table_has_are_refused()
    {
        var fields = Enumerable.Range(0, 100_002).Select(i => new DataField<int>($"c{i}")).ToArray();
        using var stream = new MemoryStream();
        await using (await ParquetWriter.CreateAsync(new ParquetSchema(fields), stream, cancellationToken: TestContext.Current.CancellationToken))
        {
        }

        Assert.Equal(
            "rows.parquet has 100,002 columns: a table may have 100,000 beside its target. Leave some of them out of the file.",
            Assert.Throws<DataException>(() => TableSurvey.Of(TextTables.File(stream.ToArray(), "rows.parquet"), TextTables.Whole(), hasTest: false)).Message);
    }

    [Fact]
    public async Task A_file_of_that_name_that_is_no_Parquet_is_never_read_as_text()
    {
        var bytes = await ParquetTables.OfParquet();
        foreach (var other in new[] { bytes[50..], "a,b\n1,2\n"u8.ToArray() })
        {
            Assert.Equal(
                "rows.parquet cannot be read as Parquet: it is cut short or damaged, or something else. Write it again.",
                Assert.Throws<DataException>(() => TableSurvey.Of(TextTables.File(other, "rows.parquet"), TextTables.Whole(), hasTest: false)).Message);
        }
    }

    [Fact]
    public async Task Lists_and_bytes_are_told_and_never_read()
    {
        async Task<string> MessageAsync(DataField field, Func<ParquetRowGroupWriter, Task> write)
        {
            using var stream = new MemoryStream();
            await using (var writer = await ParquetWriter.CreateAsync(new ParquetSchema(field), stream))
            {
                using var group = writer.CreateRowGroup();
                await write(group);
            }

            return Assert.Throws<DataException>(() => TableSurvey.Of(TextTables.File(stream.ToArray(), "rows.parquet"), TextTables.Whole(), hasTest: false)).Message;
        }

        var bytes = new DataField<byte[]>("picture");
        byte[][] pictures = [[1, 2], [3]];
        Assert.Equal(
            "rows.parquet: the column \"picture\" holds bytes, and a table has one number or text in each cell. Leave it out of the file.",
            await MessageAsync(bytes, group => group.WriteAsync(bytes, pictures)));
        var lists = new DataField<int[]>("list");
        Assert.Equal(
            "rows.parquet: the column \"list\" holds lists, and a table has one number or text in each cell. Leave it out of the file.",
            await MessageAsync(lists, group => group.WriteAsync<int>(lists, new[] { 1, 2, 3 }, new[] { 0, 1, 0 })));
    }

    private static float[] Read(byte[] table, DataDescription description) =>
        [.. PredictedTable.Open(new MemoryStream(table), "in", description).Batches().SelectMany(batch => batch.Inputs.ToArray())];
}
