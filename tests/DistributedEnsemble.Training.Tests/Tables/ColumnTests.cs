using System.Text;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Training.Tests.Tables;

public class ColumnTests
{
    [Fact]
    public void Each_column_is_of_the_kind_that_its_training_rows_say()
    {
        var survey = TextTables.Survey(TextTables.Rows(
            "id,key,n,kind,when,one,essay,label",
            i => $"{i + 7},k{i * 37 % 101},{i * i % 13},{"abc"[i % 3]},2024-0{(i % 3) + 1}-{(i % 28) + 1:00},x,{new string((char)('a' + (i % 26)), 60)} {i / 2},{i % 2}"));

        Assert.Equal(
            ["identifier", "identifier", "number", "category", "datetime", "constant", "text"],
            survey.Description.Columns.Select(ColumnKinds.NameOf));
        Assert.Equal("always \"x\"", survey.Column("one").Note);
        Assert.Equal("counts the rows", survey.Column("id").Note);
    }

    [Fact]
    public void Seconds_survive_standardising_a_unix_time()
    {
        var column = (NumberColumn)TextTables.Survey(TextTables.Rows("t,label", i => $"{1_700_000_000 + (i * i % 17)},{i % 2}")).Column("t");
        float[] inputs = [0];
        Assert.Null(column.Encode(new Cell("1700000001"u8), inputs));
        var first = inputs[0];
        column.Encode(new Cell("1700000002"u8), inputs);
        Assert.Equal(1 / column.Deviation, inputs[0] - first, 1e-6);
    }

    [Fact]
    public void A_missing_number_is_the_mean_and_says_so_where_training_rows_lack_some()
    {
        var survey = TextTables.Survey(TextTables.Rows("a,b,label", i => $"{(i % 7 == 0 ? "NA" : $"{i * i % 11}")},{i * 3 % 7},{i % 2}"));
        Assert.Equal([0f, 1], Encode(survey.Column("a"), "?"));
        Assert.Equal(0, Encode(survey.Column("a"), "5")[1]);
        Assert.Equal([0f], Encode(survey.Column("b"), ""));
    }

    [Fact]
    public void Levels_that_stand_there_once_or_never_are_other()
    {
        var column = TextTables.Survey(TextTables.Rows("c,x,label", i => $"{(i == 2 ? "rare" : i % 9 == 1 ? "" : i % 2 == 0 ? "b" : "a")},{i * i % 7},{i % 2}")).Column("c");
        Assert.Equal(["c is a", "c is b", "c is missing", "c is another"], column.InputNames);
        Assert.Equal([0f, 1, 0, 0], Encode(column, "b"));
        Assert.Equal([0f, 0, 1, 0], Encode(column, "N/A"));
        Assert.Equal([0f, 0, 0, 1], Encode(column, "rare"));
        Assert.Equal([0f, 0, 0, 1], Encode(column, "never seen"));
    }

    [Fact]
    public void Many_levels_become_an_index_with_a_vector()
    {
        var column = TextTables.Survey(TextTables.Rows("c,x,label", i => $"v{i % 19},{i * i % 7},{i % 2}", 200)).Column("c");
        Assert.Equal(1, column.Inputs);
        Assert.Equal((20, (int)Math.Ceiling(1.6 * Math.Pow(19, 0.56))), column.Embedded);
        Assert.Equal([0f], Encode(column, "v0"));
        Assert.Equal([19f], Encode(column, "new"));
    }

    [Fact]
    public void Numbers_can_be_names_of_categories()
    {
        var text = TextTables.Rows("zip,x,label", i => $"{i % 3},{i * i % 7},{i % 2}");
        Assert.IsType<NumberColumn>(TextTables.Survey(text).Column("zip"));
        var column = TextTables.Survey(text, new DataSpec { Categorical = ["zip"] }).Column("zip");
        Assert.Equal(["0", "1", "2"], Assert.IsType<CategoryColumn>(column).Levels);
        float[] inputs = new float[3];
        column.Encode(new Cell(2.0), inputs);
        Assert.Equal([0f, 0, 1], inputs);
    }

    [Theory]
    [InlineData("2024-03-01", "year-month-day")]
    [InlineData("2024-03-01T12:30:00Z", "year-month-day")]
    [InlineData("2024-03-01 12:30", "year-month-day")]
    [InlineData("25.03.2024", "day.month.year")]
    [InlineData("25/03/2024", "day/month/year")]
    [InlineData("03/25/2024 4:05 PM", "month/day/year")]
    [InlineData("25-Mar-2024", "day month year")]
    [InlineData("12:30", "hour:minute")]
    public void Dates_are_read_in_their_forms(string date, string form)
    {
        var survey = TextTables.Survey(TextTables.Rows("d,x,label", i => $"{date},{i * i % 7},{i % 2}") + $"{Later(date)},1,0\n");
        Assert.Equal(form, Assert.IsType<DateTimeColumn>(survey.Column("d")).Form);
    }

    [Fact]
    public void Days_that_could_be_months_are_no_dates() =>
        Assert.IsNotType<DateTimeColumn>(TextTables.Survey(TextTables.Rows("d,x,label", i => $"0{(i % 9) + 1}/0{(i % 7) + 1}/2024,{i * i % 7},{i % 2}", 200)).Column("d"));

    [Fact]
    public void Parts_of_dates_that_vary_are_inputs()
    {
        var column = TextTables.Survey(TextTables.Rows("d,x,label", i => $"2024-0{(i % 3) + 1}-{(i % 28) + 1:00},{i * i % 7},{i % 2}")).Column("d");
        Assert.Equal(["d", "month of d", "weekday of d"], column.InputNames);
        Assert.Equal("\"soon\" is not a date as the training rows have them (year-month-day)", column.Encode(new Cell("soon"u8), new float[3]));
    }

    [Fact]
    public void Numbers_whose_squares_overflow_are_named()
    {
        Assert.Equal(
            "The numbers of the column \"x\" lie too far apart: their spread overflows. Leave it out (data.ignore), or divide it.",
            Assert.Throws<DataException>(() => TextTables.Survey(TextTables.Rows("x,y,label", i => $"{(i % 2 == 0 ? "-" : "")}1e308,{i * i % 7},{i % 2}"))).Message);
        Assert.Equal(3e38, ((NumberColumn)TextTables.Survey(TextTables.Rows("x,y,label", i => $"{(i % 2 == 0 ? "-" : "")}3e38,{i * i % 7},{i % 2}")).Column("x")).Deviation, 1e34);
    }

    private static string Later(string date) => date.Replace("2024", "2025", StringComparison.Ordinal).Replace("12:30", "13:31", StringComparison.Ordinal);

    private static float[] Encode(ColumnEncoder column, string cell)
    {
        var inputs = new float[column.Inputs];
        Assert.Null(column.Encode(new Cell(Encoding.UTF8.GetBytes(cell)), inputs));
        return inputs;
    }
}
