using System.Security.Cryptography;
using System.Text;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Training.Tests.Tables;

public class TableLawTests
{
    private const string Header = "when,size,shape,zip,mark,label";

    private static readonly string s_table = TextTables.Rows(Header, Row, 150);

    [Fact]
    public void A_changed_test_row_changes_nothing_that_trains()
    {
        var lines = s_table.Split('\n');
        for (var row = 4; row < 150; row += 5) lines[row + 1] = "1999-01-01 00:00,1e9,never,new,strange,a";
        using var before = TextTables.Load(s_table);
        using var after = TextTables.Load(string.Join('\n', lines));

        Assert.Equal(before.Train.Inputs(), after.Train.Inputs());
        Assert.Equal(before.Train.Targets, after.Train.Targets);
        Assert.NotEqual(before.Test.Inputs(), after.Test.Inputs());
    }

    [Fact]
    public void Predicted_rows_are_the_bits_of_the_dataset_whatever_the_order_of_their_columns()
    {
        using var data = TextTables.Load(s_table);
        var description = DataDescription.FromJson(DataDescription.Of(data, 0).ToJson());
        string[] order = ["label", "mark", "shape", "zip", "id", "size", "when"];
        var columns = Header.Split(',');
        var shuffled = string.Join(';', order) + "\n" + string.Concat(s_table.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1)
            .Select(line => string.Join(';', order.Select(name => name == "id" ? "77" : line.Split(',')[Array.IndexOf(columns, name)])) + "\n"));

        var (all, reordered) = (Read(s_table, description), Read(shuffled, description));

        Assert.Equal(all, reordered);
        var width = (int)description.Inputs.Width;
        Assert.Equal(data.Train.Inputs(), all.Chunk(width).Where((_, row) => row % 5 != 4).SelectMany(row => row));
        Assert.Equal(data.Test.Inputs(), all.Chunk(width).Where((_, row) => row % 5 == 4).SelectMany(row => row));
        Assert.Equal([new EmbeddedInput(data.Embedded[0].Place, 32, 11)], data.Embedded);
    }

    [Fact]
    public void A_run_that_goes_on_reads_its_data_as_it_recorded_it()
    {
        using var data = TextTables.Load(s_table);
        var description = DataDescription.FromJson(DataDescription.Of(data, 0).ToJson());
        using var again = TableLoading.Load(TextTables.File(s_table), null, "rows.csv", TextTables.Whole(), description);

        Assert.Equal(data.Train.Inputs(), again.Train.Inputs());
        Assert.Equal(data.Test.Targets, again.Test.Targets);
        Assert.Equal(DataDescription.Of(data, 0).ToJson(), DataDescription.Of(again, 0).ToJson());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(s_table))), data.Sha256);
    }

    [Fact]
    public void An_absent_column_and_text_among_numbers_are_told()
    {
        using var data = TextTables.Load(s_table);
        var description = DataDescription.Of(data, 0);

        Assert.Equal(
            "in.csv lacks the column \"size\", which the run was trained with. Add it, with empty cells where it is unknown.",
            Assert.Throws<DataException>(() => Read("when,shape,zip,mark\n2024-01-01 00:00,a,z1,x\n", description)).Message);
        Assert.Equal(
            "in.csv, line 3, column 2 (\"size\"): \"big\" is not a number, and all of the training rows' cells are.",
            Assert.Throws<DataException>(() => Read("when,size,shape,zip,mark\n2024-01-01 00:00,1,a,z1,x\n,big,a,z1,x\n", description)).Message);
    }

    [Fact]
    public void A_test_table_of_its_own_leaves_all_rows_to_the_training()
    {
        using var data = TextTables.Load(s_table, test: "label;mark;shape;zip;size;when\nb;x;tall;z1;1,5;2024-01-01 00:00\nb;x;tall;z1;2,5;2024-01-01 00:00\n;x;tall;z1;2;2024-01-01 00:00\n");
        Assert.Equal((150, 2), (data.Train.Count, data.Test.Count));
        Assert.Equal([1f, 1f], data.Test.Targets);
    }

    [Fact]
    public void Runs_from_before_columns_had_kinds_find_the_inputs_that_they_were_trained_on()
    {
        const string Table = "x,label,y\n1,a,0.1\n3,b,0.2\n1,a,0.3\n3,b,0.7\n9,a,9\n2,c,0.1\n";
        var former = DataDescription.FromJson($$$"""
            {"dataset":"rows.csv","sha256":"{{{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Table)))}}}","inputShape":[2],"columns":["x","y"],
            "classes":["a","b","c"],"labelColumn":"label","mean":[2,0.3],"deviation":[0.7,0.2],"scale":1,"splits":{"train":5,"validation":0,"test":1}}
            """);
        using var data = TableLoading.Load(TextTables.File(Table), null, "rows.csv", TextTables.Whole(), former);

        Assert.Equal([(1 - 2f) / 0.7f, (0.1f - 0.3f) / 0.2f], data.Train.Inputs()[..2]);
        Assert.Equal([0f, 1, 0, 1, 2], data.Train.Targets);
        Assert.Equal([1f, 0.1f], Read("y,x\n0.1,1\n", former));
        Assert.Equal(former.Columns, DataDescription.FromJson(DataDescription.Of(data, 0).ToJson()).Columns);
    }

    [Fact]
    public void A_longer_table_takes_no_more_memory_than_its_inputs()
    {
        const int Features = 20, Count = 20_000;
        long Allocated(int rows)
        {
            var text = TextTables.Rows($"{string.Join(',', Enumerable.Range(0, Features).Select(i => $"f{i}"))},label", i => $"{string.Join(',', Enumerable.Range(0, Features).Select(f => $"{i * (f + 3) % 10_007}.5"))},{i % 3}", rows);
            var file = TextTables.File(text);
            var before = GC.GetAllocatedBytesForCurrentThread();
            using var data = TableLoading.Load(file, null, "rows.csv", new EnsembleSpec(), null);
            Assert.Equal(rows, data.Train.Count + data.Test.Count);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        // The inputs lie in native memory; a target has 4 bytes here.
        Allocated(Count);
        Assert.InRange(Allocated(3 * Count) - Allocated(Count), 0, 2 * Count * 10L);
    }

    [Fact]
    public void Whatever_is_damaged_only_the_documented_exception_escapes() => Fuzz.Run(
        Encoding.UTF8.GetBytes(string.Join('\n', s_table.Split('\n')[..30])),
        bytes => TableLoading.Load(TextTables.File(bytes), null, "rows.csv", new EnsembleSpec(), null).Dispose(),
        typeof(DataException));

    private static string Row(int i) =>
        $"2024-0{(i % 9) + 1}-{(i % 28) + 1:00} 1{i % 10}:00,{(i % 11 == 3 ? "" : $"{i * i % 37}.5")},{(i % 3) switch { 0 => "tall", 1 => "wide", _ => "NA" }},z{i % 31},{(i == 3 ? "once" : i % 2 == 0 ? "x" : "y")},{"ab"[i / 3 % 2]}";

    private static float[] Read(string text, DataDescription description) =>
        [.. PredictedTable.Open(new MemoryStream(Encoding.UTF8.GetBytes(text)), "in.csv", description).Batches().SelectMany(batch => batch.Inputs.ToArray())];
}
