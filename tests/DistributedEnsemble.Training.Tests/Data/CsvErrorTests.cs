using System.Text;

namespace DistributedEnsemble.Training.Tests.Data;

public class CsvErrorTests
{
    private const string Good = "x,y,label\n1,2,a\n3,4,b\n5,6,a\n7,8,b\n9,10,a\n";

    [Theory]
    [InlineData("", "rows.csv: the file is empty; its first line must name the columns.")]
    [InlineData("x,y,label\n", "rows.csv: 0 rows are too few; every fifth row is test, so that 5 are needed.")]
    [InlineData("1,2,3\n4,5,6\n", "rows.csv, line 1, column 1: \"1\" and all the other names are numbers, so this is no header; the first line must name the columns.")]
    [InlineData("x,x,label\n", "rows.csv, line 1, column 2: the name \"x\" is already that of column 1.")]
    [InlineData("x, ,label\n", "rows.csv, line 1, column 2: the column has no name.")]
    [InlineData("label\na\n", "rows.csv: column 1 (\"label\") is the only one; a label needs features beside it.")]
    [InlineData("x,y,label\n1,2,a\n3,,b\n", "rows.csv, line 3, column 2 (\"y\"): the cell is empty.")]
    [InlineData("x,y,label\n1,2, \n", "rows.csv, line 2, column 3 (\"label\"): the cell is empty.")]
    [InlineData("x,y,label\n1,NaN,a\n", "rows.csv, line 2, column 2 (\"y\"): \"NaN\" is not a finite number.")]
    [InlineData("x,y,label\n1,-Infinity,a\n", "rows.csv, line 2, column 2 (\"y\"): \"-Infinity\" is not a finite number.")]
    [InlineData("x,y,label\n1,1e39,a\n", "rows.csv, line 2, column 2 (\"y\"): \"1e39\" is outside the range of float32.")]
    [InlineData("x,y,label\n1,two,a\n", "rows.csv, line 2, column 2 (\"y\"): \"two\" is not a number.")]
    [InlineData("x,y,label\n1,\"1,5\",a\n", "rows.csv, line 2, column 2 (\"y\"): \"1,5\" is not a number.")]
    [InlineData("x,y,label\n1,2,a\n1,2\n", "rows.csv, line 3, column 3 (\"label\"): the row ends after 2 cells, but the header names 3 columns.")]
    [InlineData("x,y,label\n\n\"1\",2,a,3\n", "rows.csv, line 3, column 4: the row has 4 cells, but the header names 3 columns.")]
    [InlineData(
        "x,y,label\n1,2,a\n1,2,a\n1,2,a\n1,2,a\n1,2,a\n",
        "rows.csv: line 2, column 3 (\"label\"): every row has the label \"a\"; there must be at least two classes.")]
    [InlineData(
        "x,y,label\n1,2,a\n1,2,a\n1,2,a\n1,2,a\n1,2,b\n",
        "rows.csv: line 6, column 3 (\"label\"): the class \"b\" is absent from the training rows; "
        + "every fifth row is test, so put the rows into another order or add some of this class.")]
    [InlineData(
        "x,y\n1,2\n3,4\n5,6\n7,8\n9,10\n11,8\n",
        "rows.csv: column 2 (\"y\") has 5 classes in 6 rows; this looks like regression, and a label must be a class of several rows.")]
    [InlineData("x,y,label\n1,\"2\n,a\n3,4,b\n", "rows.csv, line 2, column 2: a quoted cell is never closed.")]
    [InlineData("x,y,label\n1,2\"3,a\n", "rows.csv, line 2, column 2: a quote stands inside a cell that is not quoted.")]
    [InlineData("x,y,label\n\"1,\"\"\",\"2\"3,a\n", "rows.csv, line 2, column 2: text follows the closing quote of a cell.")]
    public void A_broken_rule_is_told_with_line_and_column(string csv, string message) => Refuses(Encoding.UTF8.GetBytes(csv), message);

    [Fact]
    public void More_than_a_thousand_classes_are_refused_where_they_appear()
    {
        var csv = new StringBuilder("x,price\n");
        for (var i = 0; i < 5000; i++) csv.Append($"1,{i % 1200}.5\n");

        Refuses(
            Encoding.UTF8.GetBytes(csv.ToString()),
            "rows.csv, line 1002, column 2 (\"price\"): this is the class number 1,001; this looks like regression, and a label is one of at most 1,000 classes.");
    }

    [Fact]
    public void Text_that_is_not_utf8_is_refused()
    {
        Refuses([.. "x,label\n1,"u8, 0xff, .. "\n"u8], "rows.csv, line 2, column 2 (\"label\"): the cell is not UTF-8 text.");
        Refuses([.. "x,"u8, 0xff, .. "\n"u8], "rows.csv, line 1, column 2: the name is not UTF-8 text.");
    }

    [Fact]
    public void A_row_without_an_end_does_not_fill_the_memory()
    {
        var csv = new byte[40 << 20];
        Array.Fill(csv, (byte)'7');
        "x,label\n1,"u8.CopyTo(csv);

        Refuses(csv, "rows.csv, line 2, column 1: a row of more than 16 MiB starts here.");
    }

    [Fact]
    public void Whatever_is_damaged_only_the_documented_exception_escapes_and_memory_stays_bounded()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();

        var runs = Fuzz.Run(
            Encoding.UTF8.GetBytes(Good.Replace("5,6", "\"5\",6e-1", StringComparison.Ordinal)),
            bytes => Load(bytes).Dispose(),
            typeof(DataException));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, runs * 1_500_000L);
    }

    private static void Refuses(byte[] csv, string message) =>
        Assert.Equal(message, Assert.Throws<DataException>(() => Load(csv)).Message);

    private static Dataset Load(byte[] csv) => new CsvSource("rows.csv").Load(new MemoryStream(csv), "rows.csv");
}
