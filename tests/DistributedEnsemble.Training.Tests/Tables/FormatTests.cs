using System.IO.Compression;
using System.IO.Pipes;
using System.Text;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Training.Tests.Tables;

public class FormatTests
{
    [Theory]
    [InlineData("a,b\n1,2\n", ',', '.', '"', true)]
    [InlineData("a;b;c\n1,5;2;3\n2,25;3;4\n", ';', ',', '"', true)]
    [InlineData("a;b;c\n1.5;2;3,7\n2.25;3;4,8\n2.75;3;4,9\n", ';', '.', '"', true)]
    [InlineData("a\tb\n1\t2\n", '\t', '.', '"', true)]
    [InlineData("a|b\n1|2\n", '|', '.', '"', true)]
    [InlineData("'40-49','premeno, no',2\n'50-59','ge40',3\n", ',', '.', '\'', false)]
    [InlineData("\"it's\",b\n\"o'neil\",2\n", ',', '.', '"', true)]
    [InlineData("5.1,3.5,setosa\n4.9,3.0,setosa\n", ',', '.', '"', false)]
    [InlineData("y,n\ny,y\nn,n\n", ',', '.', '"', false)]
    [InlineData("who,what\nann,x\nbob,y\n", ',', '.', '"', true)]
    [InlineData("b,r,r\nx,y,z\nx,y,y\n", ',', '.', '"', false)]
    [InlineData(",a,b\n0,1,2\n1,3,4\n", ',', '.', '"', true)]
    [InlineData("0,1,2,3,4\n7,1,2,8,9\n3,1,4,3,4\n", ',', '.', '"', true)]
    [InlineData("country,1990,1995,2000\nChad,1.5,2,3\nMali,2,3,4\n", ',', '.', '"', true)]
    [InlineData("1,2,3\n1,5,3\n2,2,1\n", ',', '.', '"', false)]
    [InlineData("1,2,3\n4,5,6\n7,8,9\n", ',', '.', '"', false)]
    [InlineData("10,20,30,40,50\n4,5,6,7,8\n7,8,9,3,2\n", ',', '.', '"', false)]
    [InlineData("1,2,3,4,5\n4,5,6,7,8\n7,8,9,3,2\n", ',', '.', '"', true)]
    [InlineData("4,2,0\n5,6,7\n8,6,3\n", ',', '.', '"', false)]
    [InlineData("  5.1   3.5\tsetosa\n 4.9 3.0 setosa  \n", ' ', '.', '"', false)]
    [InlineData("one two\na b c\nd e f\n", ' ', '.', '"', true)]
    [InlineData("text\nhello world\ngood morning all\n", ',', '.', '"', true)]
    [InlineData("a;b\n1.234;x\n997;y\n2.001;x\n12.250;y\n", ';', ',', '"', true)]
    [InlineData("a;b\n1.234;x\n2.5;y\n2.001;x\n12.250;y\n", ';', '.', '"', true)]
    [InlineData("a\tb\n1.234\tx\n997\ty\n2.001\tx\n12.250\ty\n", '\t', '.', '"', true)]
    public void The_dialect_is_seen(string text, char separator, char @decimal, char quote, bool header) =>
        Assert.Equal((separator, @decimal, quote, header), Detect(text) is var f ? (f.Separator, f.Decimal, f.Quote, f.Header) : default);

    [Theory]
    [InlineData("\ufeffa,b\r\n1,2\r\n")]
    [InlineData("# made by hand\n# on a Monday\na,b\n1,2\n")]
    [InlineData("sep=,\na,b\n1,2\n")]
    [InlineData("\"sep=,\"\r\na,b\r\n1,2\r\n")]
    [InlineData("a,b,\n1,2,\n")]
    [InlineData("\n\na,b\n\n1,2\n")]
    public void What_is_no_row_is_passed_over(string text) => Assert.Equal(["a", "b", "1", "2"], Cells(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("Sales of 2024\n\nwho,n\nx,1\ny,2\nz,3\n")]
    [InlineData("\"Sales, by person\"\nprinted on Monday\nwho,n\nx,1\ny,2\nz,3\n")]
    [InlineData("Sales of 2024\nwho,n\nx,1 kg\ny,2 kg\nz,3 kg\n", " kg")]
    [InlineData("Sales of 2024;;\n;;\nwho;n;\nx;1;\ny;2;\nz;3;\n")]
    public void Titles_above_the_names_are_passed_over(string text, string unit = "") =>
        Assert.Equal(["who", "n", "x", $"1{unit}", "y", $"2{unit}", "z", $"3{unit}"], Cells(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("| a | b |\n|---|:-:|\n| x | 1 |\n| y | 2 |\n", new[] { "column1", "a", "b", "", "x", "1", "", "y", "2" })]
    [InlineData("a\tb\n---\t-----\nx\t1\ny\t2\n", new[] { "a", "b", "x", "1", "y", "2" })]
    public void A_line_under_the_names_is_passed_over(string text, string[] cells) => Assert.Equal(cells, Cells(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData(false, TableFormat.Utf16Little)]
    [InlineData(true, TableFormat.Utf16Big)]
    public void Wide_characters_without_a_mark_are_known_by_their_zeros(bool isBig, string encoding)
    {
        var bytes = new UnicodeEncoding(isBig, byteOrderMark: false).GetBytes("name,n\nJosé,1\nŁukasz,2\n");
        Assert.Equal(encoding, TextTables.File(bytes).Detect(null).Encoding);
        Assert.Equal(["name", "n", "José", "1", "Łukasz", "2"], Cells(bytes));
    }

    [Fact]
    public void A_line_of_one_text_is_no_title_unless_names_and_numbers_follow()
    {
        Assert.Equal(["column1", "text", "hello", "world"], Cells("text\nhello, world\ngood, morning\nso, long\n"u8.ToArray())[..4]);
        Assert.Equal(["column1", "n", "x", "1"], Cells("n\nx,1\ny,2\nz,3\n"u8.ToArray())[..4]);
    }

    [Theory]
    [InlineData("a;b\n;2,5\n1,5;2,5\n2,5;3,5\n3,5;4,5\n", new[] { "a", "b", "", "2,5" })]
    [InlineData("a b\nNA 2,5\n1,5 2,5\n2,5 3,5\n3,5 4,5\n", new[] { "a", "b", "NA", "2,5" })]
    [InlineData("id;place\n1;Rome\n2;Paris, x\n3;Bonn, 8\n4;Ulm, 9\n5;Graz, 10\n", new[] { "id", "place", "1", "Rome" })]
    [InlineData("n\nx,NA\ny,2\nz,3\nw,4\n", new[] { "column1", "n", "x", "NA" })]
    public void Names_above_cells_that_have_commas_are_no_title(string text, string[] first) =>
        Assert.Equal(first, Cells(Encoding.UTF8.GetBytes(text))[..4]);

    /// <summary>As tables of trials and of the Titanic have it.</summary>
    [Fact]
    public void A_column_may_be_named_as_one_of_its_levels()
    {
        string Numbers(int i) => $"{(i % 3 == 0 ? "treatment" : "placebo")},{20 + i}";
        string Texts(int i) => $"{(i % 2 == 0 ? "female" : "male")},{(i % 3 == 0 ? "survived" : "died")}";
        Assert.True(Detect(TextTables.Rows("treatment,age", Numbers)).Header);
        Assert.True(Detect(TextTables.Rows("sex,survived", Texts)).Header);
        Assert.False(Detect(TextTables.Rows("male,died", Texts)).Header);
        Assert.False(Detect(TextTables.Rows("male,survived", Texts)).Header);
        Assert.False(Detect(TextTables.Rows("treatment,19", Numbers)).Header);
    }

    [Theory]
    [InlineData("NA")]
    [InlineData("2nd")]
    public void What_is_missing_or_begins_as_a_number_names_no_levels(string cell) => Assert.False(
        Detect(TextTables.Rows($"red,{cell}", i => $"{(i % 3 == 0 ? "red" : "blue")},{(i % 2 == 0 ? "yes" : "no")}")).Header);

    [Fact]
    public void A_number_with_its_thousands_names_no_numbers() => Assert.False(
        Detect(TextTables.Rows("red,\"1,200\"", i => $"{(i % 3 == 0 ? "red" : "blue")},{800 + (i * i % 199)}")).Header);

    [Fact]
    public void Very_many_columns_are_looked_at_in_a_moment()
    {
        var names = string.Join(',', Enumerable.Range(0, 100_000).Select(i => $"c{i}"));
        var row = string.Join(',', Enumerable.Range(0, 100_000).Select(i => i % 7));
        Assert.Equal((',', true), Detect($"{names}\n{row}\n{row}\n") is var f ? (f.Separator, f.Header) : default);
    }

    [Fact]
    public void More_columns_than_a_table_has_are_refused_before_any_row_is_surveyed()
    {
        string Wide(int columns) => $"{string.Join(',', Enumerable.Range(0, columns).Select(i => $"c{i}"))}\n{string.Join(',', Enumerable.Range(0, columns))}\n";
        string Refused(int columns) => Assert.Throws<DataException>(() => TextTables.Survey(Wide(columns), new DataSpec { Header = true })).Message;

        Assert.Equal(
            "rows.csv has 100,002 columns: a table may have 100,000 beside its target. Leave some of them out of the file, or, if all rows stand in its first line, begin a line with each.", Refused(100_002));
        Assert.Equal("rows.csv has 1 row: at least 20 are needed.", Refused(100_001));
        // A run may have been begun with more.
        using var rows = TextTables.File(Wide(100_002)).Read(TableFormat.Plain);
        Assert.Equal(100_002, rows.Columns.Count);
    }

    [Theory]
    [InlineData("\"a\"\t\"b\"\n\"1\"\t5\t6\n\"2\"\t7\t8\n")]
    [InlineData("\"a\" \"b\"\n\"1\" 5 6\n\"2\" 7 8\n")]
    [InlineData("a,b\n1,5,6\n2,7,8\n")]
    public void Names_of_rows_have_no_name_above_them_where_R_writes_them(string text) =>
        Assert.Equal(["column1", "a", "b", "1", "5", "6", "2", "7", "8"], Cells(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Blanks_in_quotes_and_at_the_ends_of_lines_divide_no_cells() =>
        Assert.Equal(["who", "n", "ann  lee", "1", "bob", "2"], Cells("who  n\n \"ann  lee\"\t 1\r\n\tbob    2  \r\n"u8.ToArray()));

    [Fact]
    public void Bytes_that_are_no_UTF8_are_the_characters_that_spreadsheets_write()
    {
        byte[] western = [.. "k"u8, 0xe9, .. "y,b\n"u8, .. "na"u8, 0xef, .. "ve,"u8, 0x80, .. "5\n1,2\n"u8];
        Assert.Equal(["kéy", "b", "naïve", "€5", "1", "2"], Cells(western));
        Assert.Equal("windows-1252", TextTables.File(western).Detect(null).Encoding);
        Assert.Equal(["kéy", "b", "1", "2"], Cells("kéy,b\n1,2\n"u8.ToArray()));

        // Beyond what is looked at, wherever the blocks end in which the text is read.
        var rows = string.Concat(Enumerable.Range(0, 120_000).Select(i => $"größe {i},{i % 7}\n"));
        byte[] late = [.. Encoding.UTF8.GetBytes("key,b\n" + rows), .. "stra"u8, 0xdf, .. "e,2\n"u8];
        var cells = Cells(late);
        Assert.Equal("utf-8", TextTables.File(late).Detect(null).Encoding);
        Assert.Equal(["straße", "2"], cells[^2..]);
        Assert.All(Enumerable.Range(0, 120_000), i => Assert.Equal($"größe {i}", cells[2 + (2 * i)]));
    }

    [Fact]
    public void Packed_and_wide_characters_are_known_by_their_marks()
    {
        var text = "größe,b\n1,2\n";
        byte[] wide = [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(text)], big = [.. Encoding.BigEndianUnicode.Preamble, .. Encoding.BigEndianUnicode.GetBytes(text)];
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionMode.Compress, leaveOpen: true)) gzip.Write(wide);

        foreach (var bytes in new[] { wide, big, packed.ToArray() }) Assert.Equal(["größe", "b", "1", "2"], Cells(bytes));
        Assert.Equal(("utf-16le", "gzip"), TextTables.File(packed.ToArray()).Detect(null) is var f ? (f.Encoding, f.Compression) : default);
        Assert.Equal("rows.csv is damaged: its gzip data cannot be unpacked. Compress it again.",
            Assert.Throws<DataException>(() => Cells([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 255, 255])).Message);
    }

    [Fact]
    public void Packed_parts_are_one_file_and_one_that_is_cut_short_is_damaged()
    {
        byte[] Packed(string text)
        {
            using var packed = new MemoryStream();
            using (var gzip = new GZipStream(packed, CompressionMode.Compress, leaveOpen: true)) gzip.Write(Encoding.UTF8.GetBytes(text));
            return packed.ToArray();
        }

        Assert.Equal(["a", "b", "1", "2", "3", "4"], Cells([.. Packed("a,b\n1,"), .. Packed("2\n3,4\n")]));
        var whole = Packed(string.Concat(Enumerable.Range(0, 500).Select(i => $"{i * i},{i * 7 % 13}\n")));
        foreach (var cut in new[] { 1, 8, 9, 40, whole.Length / 2 })
        {
            Assert.Equal("rows.csv is damaged: its gzip data cannot be unpacked. Compress it again.",
                Assert.Throws<DataException>(() => Cells(whole[..^cut])).Message);
        }
    }

    [Fact]
    public void What_was_seen_can_be_overruled()
    {
        Assert.False(TextTables.File("a,b\n1,2\n").Detect(header: false).Header);
        Assert.Equal(["column1", "column2"], TextTables.File("5,6\n1,2\n").Read(TextTables.File("5,6\n1,2\n").Detect(null)).Columns);
        Assert.Equal(["column1", "b"], TextTables.File(",b\n1,2\n").Read(TextTables.File(",b\n1,2\n").Detect(null)).Columns);
    }

    [Theory]
    [InlineData("", "rows.csv is empty: a table has rows, and in its first line the names of its columns.")]
    [InlineData("# nothing\n \n", "rows.csv is empty: a table has rows, and in its first line the names of its columns.")]
    [InlineData("x,x,b\n1,k,3\n4,l,6\n", "rows.csv, line 1: columns 1 and 2 are both named \"x\". Rename one of them, or say data.header false if these are no names.")]
    [InlineData("x,x,b\n1,2,3\n4,5,6\n", "rows.csv, line 1: columns 1 and 2 are both named \"x\". Rename one of them, or say data.header false if these are no names.")]
    [InlineData("# c\nx,y\n1,2\n1\n", "rows.csv, line 4, column 2 (\"y\"): the row ends after 1 cell, and the first has 2.")]
    [InlineData("x,y\n1,2\n1,2,3\n", "rows.csv, line 3, column 3: the row has 3 cells, and the first has 2.")]
    [InlineData("PK\u0003\u0004sheet", "rows.csv is a workbook or an archive, and no text: save its sheet as CSV, or unpack it.")]
    [InlineData("a,b\n1,\0\n", "rows.csv is no text: there are bytes of zero in it. Save it as CSV in UTF-8.")]
    [InlineData("[{\"a\": 1, \"b\": 2}]", "rows.csv is JSON, and no table: save it as CSV in UTF-8.")]
    [InlineData("\ufeff<!DOCTYPE html>\n<p>not, found</p>\n", "rows.csv is a page or XML, and no table: save it as CSV in UTF-8.")]
    [InlineData("\u0001\u0002,\u0003\n\u0004\n", "rows.csv is made of bytes that are no text, and no table: save it as CSV in UTF-8.")]
    [InlineData("x,y\n1,\"2\n3,4\n", "rows.csv, line 2: a quoted cell is never closed.")]
    [InlineData("x,y\n1,\"2\"3\n", "rows.csv, line 2: text follows the closing quote of a cell.")]
    public void A_broken_table_is_told_with_its_line(string text, string message) =>
        Assert.Equal(message, Assert.Throws<DataException>(() => Cells(Encoding.UTF8.GetBytes(text))).Message);

    [Fact]
    public void A_row_without_an_end_does_not_fill_the_memory()
    {
        var csv = new byte[40 << 20];
        Array.Fill(csv, (byte)'7');
        "x,label\n1,"u8.CopyTo(csv);
        Assert.Equal("rows.csv, line 2: a row of more than 16 MiB starts here.", Assert.Throws<DataException>(() => Cells(csv)).Message);
    }

    [Theory]
    [InlineData("1,000", '.', 1000.0)]
    [InlineData("1,234,567.5", '.', 1234567.5)]
    [InlineData("-12 %", '.', -12.0)]
    [InlineData("$1,200", '.', 1200.0)]
    [InlineData("-$3", '.', -3.0)]
    [InlineData("3 €", '.', 3.0)]
    [InlineData("1.234,5", ',', 1234.5)]
    [InlineData("0,076", ',', 0.076)]
    [InlineData("1e-3", '.', 0.001)]
    [InlineData("(1,200)", '.', -1200.0)]
    [InlineData("($3.50)", '.', -3.5)]
    [InlineData("1\u00a0234\u00a0567,5\u00a0€", ',', 1234567.5)]
    [InlineData("-1\u202f234", '.', -1234.0)]
    [InlineData("12\u00a0%", '.', 12.0)]
    [InlineData("1’000", '.', 1000.0)]
    [InlineData("\u22120.93", '.', -0.93)]
    [InlineData("1,23,456.5", '.', 123456.5)]
    [InlineData("1,23,45", '.', null)]
    [InlineData("123,45,678", '.', null)]
    [InlineData("1.23.456", ',', null)]
    [InlineData("91 23 456", '.', null)]
    [InlineData("(-3)", '.', null)]
    [InlineData("()", '.', null)]
    [InlineData("1,00", '.', null)]
    [InlineData("1.5", ',', null)]
    [InlineData("12a", '.', null)]
    [InlineData("1e999", '.', null)]
    [InlineData("%", '.', null)]
    [InlineData("-", '.', null)]
    public void Numbers_are_read_as_people_write_them(string text, char point, double? number) =>
        Assert.Equal(number, new Cell(Encoding.UTF8.GetBytes(text), point).TryNumber(out var read) ? read : null);

    [Theory]
    [InlineData("", true)]
    [InlineData("na", true)]
    [InlineData("N/A", true)]
    [InlineData("NaN", true)]
    [InlineData("NULL", true)]
    [InlineData("none", true)]
    [InlineData("?", true)]
    [InlineData("-", true)]
    [InlineData(".", true)]
    [InlineData("--", true)]
    [InlineData("<NA>", true)]
    [InlineData("NaT", true)]
    [InlineData("n.a.", true)]
    [InlineData("#DIV/0!", true)]
    [InlineData("-Inf", true)]
    [InlineData("Infinity", true)]
    [InlineData("0", false)]
    [InlineData("nan1", false)]
    [InlineData("#n/b", false)]
    public void Empty_cells_have_many_words(string text, bool missing) => Assert.Equal(missing, new Cell(Encoding.UTF8.GetBytes(text)).IsMissing);

    private static TableFormat Detect(string text) => TextTables.File(text).Detect(null);

    private static List<string> Cells(byte[] bytes)
    {
        var file = TextTables.File(bytes);
        using var rows = file.Read(file.Detect(null));
        List<string> cells = [.. rows.Columns];
        var buffer = Array.Empty<char>();
        while (rows.Read()) for (var i = 0; i < rows.Columns.Count; i++) cells.Add(rows[i].Text(ref buffer).ToString());
        return cells;
    }

    [Fact]
    public async Task A_pipe_is_refused_for_it_could_be_read_but_once()
    {
        await using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux names a process's own pipes.");

        var failure = Assert.Throws<DataException>(() => TableFile.Of($"/dev/fd/{pipe.ClientSafePipeHandle.DangerousGetHandle()}", "rows.csv").Detect(header: null));

        Assert.Equal("rows.csv is a pipe or a device, and a table is read more than once: write it into a file first.", failure.Message);
    }
}
