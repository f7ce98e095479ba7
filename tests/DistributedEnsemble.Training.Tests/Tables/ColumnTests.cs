using System.Text;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Tables;

public class ColumnTests
{
    [Theory]
    [InlineData("9:{0:00}", "times of day; if they are durations, write them as numbers, as of minutes")]
    [InlineData("9:{0:00} AM", null)]
    [InlineData("36:{0:00}", null)]
    public void Times_below_24_hours_say_that_they_may_be_no_durations(string form, string? note)
    {
        var text = TextTables.Rows("time,y", i => $"{string.Format(System.Globalization.CultureInfo.InvariantCulture, form, i)},{i * i % 13}.5");
        Assert.Equal(note, TextTables.Survey(text).Column("time").Note);
    }

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
    [InlineData("Mar 2024", "month year")]
    public void Dates_are_read_in_their_forms(string date, string form)
    {
        var survey = TextTables.Survey(TextTables.Rows("d,x,label", i => $"{date},{i * i % 7},{i % 2}") + $"{Later(date)},1,0\n");
        Assert.Equal(form, Assert.IsType<DateTimeColumn>(survey.Column("d")).Form);
    }

    [Fact]
    public void Quarters_and_weeks_are_dates()
    {
        var survey = TextTables.Survey(TextTables.Rows("q,r,w,x,label", i => $"{2000 + (i / 4)}-Q{(i % 4) + 1},q{(i % 4) + 1} {2000 + (i / 4)},{2020 + (i / 52)}-W{(i % 52) + 1:00},{i * i % 7},{i % 2}", 80));
        Assert.Equal(["year quarter", "year quarter", "year week"], new[] { "q", "r", "w" }.Select(name => Assert.IsType<DateTimeColumn>(survey.Column(name)).Form));
        var (quarters, weeks) = (DateForm.All.Single(form => form.Name == "year quarter"), DateForm.All.Single(form => form.Name == "year week"));
        foreach (var text in new[] { "2024-Q3", "2024Q3", "2024 q3", "Q3 2024", "Q3-2024" }) Assert.Equal(new DateTime(2024, 7, 1), quarters.TryParse(text, out var time) ? time : default);
        foreach (var text in new[] { "2024-Q5", "24-Q3", "Q3", "2024-Q3a", "Q", "2024-Q" }) Assert.False(quarters.TryParse(text, out _));
        Assert.Equal(new DateTime(2024, 2, 12), weeks.TryParse("2024-W07", out var monday) ? monday : default);
        Assert.False(weeks.TryParse("2024-W53", out _));
    }

    [Fact]
    public void Numbers_with_one_unit_are_numbers()
    {
        var survey = TextTables.Survey(TextTables.Rows("mass,heat,mixed,code,label", i => $"{i * 7 % 90}.5 kg,-{i * 3 % 31}°C,{i * 7 % 90} {(i % 2 == 0 ? "kg" : "lb")},K{i * 7 % 20},{i % 2}", 100));
        var mass = Assert.IsType<NumberColumn>(survey.Column("mass"));
        Assert.Equal(("kg", "numbers of \"kg\""), (mass.Unit, mass.Note));
        Assert.Equal("°C", Assert.IsType<NumberColumn>(survey.Column("heat")).Unit);
        Assert.Equal(Encode(mass, "12"), Encode(mass, "12 kg"));
        Assert.Equal(Encode(mass, "12"), Encode(mass, "12kg"));
        Assert.Equal("\"12 lb\" is not a number, and all of the training rows' cells are", mass.Encode(new Cell("12 lb"u8), new float[1]));
        Assert.IsNotType<NumberColumn>(survey.Column("mixed"));
        Assert.IsType<CategoryColumn>(survey.Column("code"));
    }

    [Fact]
    public void A_month_a_quarter_or_a_time_behind_a_number_is_no_unit()
    {
        var survey = TextTables.Survey(TextTables.Rows("d,q,t,label", i => $"{(i % 28) + 1} {(i % 2 == 0 ? "Jan" : "March")} {2000 + (i % 9)},{2000 + (i / 4)}Q{(i % 4) + 1},202401{(i % 28) + 1:00}T{i % 24:00}:00,{i % 2}", 80));
        Assert.Equal(["day month year", "year quarter", "year-month-day"], new[] { "d", "q", "t" }.Select(name => Assert.IsType<DateTimeColumn>(survey.Column(name)).Form));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Text_in_place_of_some_numbers_is_no_unit_wherever_it_comes_first(int place)
    {
        var survey = TextTables.Survey(TextTables.Rows("age,mass,label", i => $"{(i % 17 == place ? "90 and over" : $"{20 + (i * 7 % 60)}")},{(i % 17 == place ? "0" : $"{i * 7 % 60} kg")},{i % 2}", 100));
        var age = Assert.IsType<NumberColumn>(survey.Column("age"));
        Assert.Equal((null, "numbers; \"90 and over\" is a missing cell"), (age.Unit, age.Note));
        Assert.Equal([0f, 1], Encode(age, "90 and over"));
        Assert.IsNotType<NumberColumn>(survey.Column("mass"));
    }

    [Fact]
    public void Codes_with_a_letter_behind_them_stay_codes() =>
        Assert.IsType<CategoryColumn>(TextTables.Survey(TextTables.Rows("code,x,label", i => $"{i % 12:000}A,{i * i % 7},{i % 2}", 100)).Column("code"));

    [Fact]
    public void A_label_behind_its_place_in_a_list_is_no_unit()
    {
        var survey = TextTables.Survey(TextTables.Rows("sex,x,label", i => $"{(i % 3 == 0 ? "1. Male" : "2. Male")},{i * i % 7},{i % 2}", 100));
        Assert.IsType<CategoryColumn>(survey.Column("sex"));
    }

    [Fact]
    public void One_of_a_unit_is_one_of_its_plural()
    {
        var survey = TextTables.Survey(TextTables.Rows("age,wait,label", i => $"{(i * 7 % 40) + 1} {(i * 7 % 40 == 0 ? "day" : "days")},{(i % 9 == 5 ? "unknown" : $"{i * 7 % 40} {(i % 4 == 0 ? "m" : "ms")}")},{i % 2}", 100));
        var age = Assert.IsType<NumberColumn>(survey.Column("age"));
        Assert.Equal(Encode(age, "1 day"), Encode(age, "1 days"));
        Assert.False(age.Missing);
        Assert.IsNotType<NumberColumn>(survey.Column("wait"));
    }

    [Fact]
    public void A_word_among_numbers_with_a_unit_is_told_beside_it() => Assert.Equal(
        "numbers of \"kg\"; \"unknown\" is a missing cell",
        TextTables.Survey(TextTables.Rows("mass,label", i => $"{(i % 11 == 5 ? "unknown" : $"{i * 7 % 60} kg")},{i % 2}", 100)).Column("mass").Note);

    [Fact]
    public void Numbers_that_are_written_short_are_as_long_as_they_mean()
    {
        string Short(int i) => i % 3 == 0 ? $"€{i * 7 % 90}K" : i % 3 == 1 ? FormattableString.Invariant($"€{i * 7 % 90 / 10.0:0.0}M") : "€0";
        var survey = TextTables.Survey(TextTables.Rows("value,size,heat,house,label", i => $"{Short(i)},{(i % 11 == 5 ? "Varies" : $"{i * 7 % 90}{"kM"[i % 2]}")},{i * 7 % 90}K,{i * 7 % 40}{(i % 2 == 0 ? "B" : "")},{i % 2}", 100));
        var value = Assert.IsType<NumberColumn>(survey.Column("value"));
        Assert.Equal((true, null, "numbers, of which some are written short, as 12k"), (value.Short, value.Unit, value.Note));
        Assert.Equal(Encode(value, "1500000"), Encode(value, "€1.5M"));
        Assert.Equal(Encode(value, "1.5M"), Encode(value, "1500k"));
        Assert.Equal([0f, 1], Encode(Assert.IsType<NumberColumn>(survey.Column("size")), "Varies"));
        // Where all have the same letter it may be a unit, and some letters are houses'.
        Assert.Equal((false, "K"), Assert.IsType<NumberColumn>(survey.Column("heat")) is var heat ? (heat.Short, heat.Unit) : default);
        Assert.False((survey.Column("house") as NumberColumn)?.Short ?? false);
    }

    [Fact]
    public void Numbers_that_are_written_short_in_validation_rows_alone_are_so_in_all()
    {
        var survey = TableSurvey.Of(TextTables.File(TextTables.Rows("size,label", i => $"{(i == 7 ? "2M" : $"{100 + i}k")},{i % 2}", 100)),
            new EnsembleSpec { Data = new DataSpec { ValidationFraction = 0.9 } }, hasTest: false);
        var size = Assert.IsType<NumberColumn>(survey.Column("size"));
        Assert.Equal(Encode(size, "2000000"), Encode(size, "2M"));
        Assert.InRange(size.Mean, 90_000, 250_000);
    }

    [Fact]
    public void Digits_that_are_days_are_dates()
    {
        var survey = TextTables.Survey(TextTables.Rows("day,sum,label", i => $"{new DateTime(2024, 1, 1).AddDays(i):yyyyMMdd},{20240101 + (i * 37)},{i % 2}", 100));
        var day = Assert.IsType<DateTimeColumn>(survey.Column("day"));
        Assert.Equal(("yearmonthday", "month weekday"), (day.Form, string.Join(' ', day.Parts.Select(part => part.Part))));
        Assert.Equal(Encode(day, "20240105"), Encode(day, "2024-01-05"));
        Assert.IsType<NumberColumn>(survey.Column("sum"));
    }

    [Fact]
    public void Days_are_read_however_a_program_wrote_their_number()
    {
        var survey = TextTables.Survey(TextTables.Rows("day,label", i => $"{(i % 9 == 4 ? "" : $"{new DateTime(2024, 1, 1).AddDays(i):yyyyMMdd}.0")},{i % 2}", 100));
        var day = Assert.IsType<DateTimeColumn>(survey.Column("day"));
        foreach (var text in new[] { "20240105.0", "20,240,105", "+20240105" }) Assert.Equal(Encode(day, "20240105"), Encode(day, text));
        Assert.Equal("\"20240105.5\" is not a date as the training rows have them (yearmonthday)", day.Encode(new Cell("20240105.5"u8), new float[day.Inputs]));
    }

    [Theory]
    [InlineData("0", "20240105", "20250106")]
    [InlineData("99999999", "20240105", "20250106")]
    [InlineData("unknown", "20240105", "20250106")]
    [InlineData("36:15", "1:00", "2:00")]
    [InlineData("36:15:00", "1:00", "2:00")]
    public void What_a_column_is_validation_rows_decide_as_well(string odd, string low, string high)
    {
        foreach (var place in new[] { 0, 7, 50 })
        {
            string Of(int i) => odd.Contains(':') ? $"{i % 24}:{i * 7 % 60:00}" : $"{new DateTime(2024, 1, 1).AddDays(i % 90):yyyyMMdd}";
            var file = TextTables.File(TextTables.Rows("day,x,label", i => $"{(i == place ? odd : Of(i))},{i * i % 7},{i % 2}", 100));
            var spec = new EnsembleSpec { Data = new DataSpec { ValidationFraction = 0.9 } };
            using var data = TableLoading.Load(file, null, "rows.csv", spec, recorded: null);
            var column = TableSurvey.Of(file, spec, hasTest: false).Column("day");
            Assert.True(Encode(column, low)[0] < Encode(column, high)[0]);
            Encode(column, odd);
        }
    }

    [Fact]
    public void Durations_of_two_parts_are_minutes_and_seconds_where_others_have_three()
    {
        var survey = TextTables.Survey(TextTables.Rows("race,shift,label", i => $"{(i % 2 == 0 ? $"{25 + (i * 7 % 35)}:30" : $"1:{i * 7 % 60:00}:15")},{i * 7 % 90}:30,{i % 2}", 100));
        var race = Assert.IsType<DateTimeColumn>(survey.Column("race"));
        Assert.Equal("hours:minutes:seconds", race.Form);
        Assert.Equal(Encode(race, "0:59:30"), Encode(race, "59:30"));
        Assert.Equal("hours:minutes", Assert.IsType<DateTimeColumn>(survey.Column("shift")).Form);
    }

    [Fact]
    public void Months_and_metres_are_no_millions()
    {
        string Age(int i) => i % 5 == 0 ? $"{6 + (i % 7)}M" : $"{i * 7 % 60}";
        string Distance(int i) => i % 2 == 0 ? $"{(1 + (i % 8)) * 100}M" : $"{5 * (1 + (i % 4))}K";
        var survey = TextTables.Survey(TextTables.Rows("age,distance,views,worth,label", i => $"{Age(i)},{Distance(i)},{(i % 5 == 0 ? "6M" : $"{i * 70 % 6001}")},{(i % 5 == 0 ? "6.5M" : "0")},{i % 2}", 100));
        foreach (var name in new[] { "age", "distance" }) Assert.False((survey.Column(name) as NumberColumn)?.Short ?? false);
        foreach (var name in new[] { "views", "worth" }) Assert.True(Assert.IsType<NumberColumn>(survey.Column(name)).Short);
    }

    [Fact]
    public void Durations_may_be_longer_than_a_day()
    {
        var survey = TextTables.Survey(TextTables.Rows("took,at,label", i => $"{i * 7 % 90}:{i % 60:00}:30,{i % 24}:{i * 7 % 60:00},{i % 2}", 100));
        Assert.Equal(["hours:minutes:seconds", "hour:minute"], new[] { "took", "at" }.Select(name => Assert.IsType<DateTimeColumn>(survey.Column(name)).Form));
        var took = (DateTimeColumn)survey.Column("took");
        Assert.Empty(took.Parts);
        var (day, hour) = (Encode(took, "24:00:00"), Encode(took, "1:00:00"));
        Assert.Equal(23 * 3600 / took.Deviation, day[0] - hour[0], 1e-4);
        Assert.Equal("\"1:70\" is not a date as the training rows have them (hours:minutes:seconds)", took.Encode(new Cell("1:70"u8), new float[took.Inputs]));
    }

    [Fact]
    public void Spellings_of_a_truth_are_one_level()
    {
        var survey = TextTables.Survey(TextTables.Rows("is,label", i => $"{(i % 2 == 0 ? (i % 4 == 0 ? "TRUE" : i % 3 == 0 ? "True" : "true") : "no")},{(i % 3 == 0 ? "False" : i % 3 == 1 ? "FALSE" : "true")}", 100));
        var column = Assert.IsType<CategoryColumn>(survey.Column("is"));
        Assert.Equal(["TRUE", "no"], column.Levels);
        Assert.Equal(Encode(column, "TRUE"), Encode(column, "true"));
        Assert.Equal(2, ((Classification)survey.Target.Task).Classes.Count);
    }

    [Fact]
    public void A_last_row_of_totals_is_told()
    {
        string Text(string last) => TextTables.Rows("region,n,label", i => $"r{i % 3},{i * 7 % 90},{i % 2}") + last;
        Assert.Contains(
            "The last row begins with \"Total\": if it is the sum of the others, delete it from the file, or it is learned as one of them.",
            TextTables.Survey(Text("Total,99,0\n")).Description.Notes);
        Assert.DoesNotContain(TextTables.Survey(Text("Total,99,\n")).Description.Notes, note => note.Contains("last row", StringComparison.Ordinal));
        Assert.DoesNotContain(TextTables.Survey(Text("r1,99,0\n")).Description.Notes, note => note.Contains("last row", StringComparison.Ordinal));
        Assert.DoesNotContain(TextTables.Survey(Text("total,99,0\nr1,5,1\n")).Description.Notes, note => note.Contains("last row", StringComparison.Ordinal));
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
    public void Numbers_with_a_word_for_no_number_are_numbers_that_are_missing()
    {
        var survey = TextTables.Survey(TextTables.Rows("n,kind,mixed,label", i => $"{(i % 9 == 2 ? "unknown" : $"{i * 7 % 90}")},{(i % 9 == 2 ? "unknown" : $"{i % 3}")},{(i % 9 == 2 ? $"t{i}" : $"{i * 7 % 90}")},{i % 2}", 100));
        var column = Assert.IsType<NumberColumn>(survey.Column("n"));
        Assert.Equal("numbers; \"unknown\" is a missing cell", column.Note);
        Assert.Equal([0f, 1], Encode(column, "unknown"));
        Assert.Equal([0f, 1], Encode(column, ""));
        Assert.Equal(0, Encode(column, "5")[1]);
        Assert.Equal("\"big\" is not a number, and all of the training rows' cells are, or \"unknown\"", column.Encode(new Cell("big"u8), new float[2]));
        Assert.Equal(["0", "1", "2", "unknown"], Assert.IsType<CategoryColumn>(survey.Column("kind")).Levels);
        Assert.Equal("numbers, and text such as \"t2\"", Assert.IsType<TextColumn>(survey.Column("mixed")).Note);
    }

    [Fact]
    public void A_word_that_only_validation_rows_have_is_a_missing_cell_all_the_same()
    {
        var rows = Enumerable.Range(0, 60).Select(i => $"{i * 7 % 59},{i % 2}").ToArray();
        foreach (var place in Enumerable.Range(0, 60).Where(i => i % 5 != 4))
        {
            var file = TextTables.File("n,label\n" + string.Join('\n', rows.Select((row, i) => i == place ? $"unknown,{i % 2}" : row)));
            using var data = TableLoading.Load(file, null, "rows.csv", new EnsembleSpec { Data = new DataSpec { ValidationFraction = 0.1 } }, recorded: null);
            Assert.Equal(["unknown"], ((NumberColumn)data.Table!.Features.Single()).Words);
            Assert.Equal(48, data.Train.Count);
        }
    }

    [Fact]
    public void Digits_that_begin_with_zeros_are_codes()
    {
        var survey = TextTables.Survey(TextTables.Rows("zip,key,day,n,label", i => $"0{i % 4}{(i % 4) * 3},{i * 37 % 101:000},{i:000},0.{i * 7 % 90:00},{i % 2}"));
        Assert.Equal(["category", "identifier", "identifier", "number"], survey.Description.Columns.Select(ColumnKinds.NameOf));
        Assert.Equal("another code in every row", survey.Column("key").Note);
        Assert.Equal(["000", "013", "026", "039"], ((CategoryColumn)survey.Column("zip")).Levels);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Unnamed: 0")]
    [InlineData("...1")]
    public void Numbers_of_rows_that_are_no_more_in_order_are_no_feature(string name)
    {
        var survey = TextTables.Survey(TextTables.Rows($"{name},x,label", i => $"{i * 37 % 101},{i * i % 7},{i % 2}"));
        Assert.Equal("another number in every row, without a name", Assert.IsType<IdentifierColumn>(survey.Description.Columns[0]).Note);
    }

    [Theory]
    [InlineData("size")]
    [InlineData("column1")]
    public void They_are_one_where_the_file_names_them(string name) =>
        Assert.IsType<NumberColumn>(TextTables.Survey(TextTables.Rows($"{name},x,label", i => $"{i * 37 % 101},{i * i % 7},{i % 2}")).Column(name));

    [Fact]
    public void Years_that_count_the_rows_are_numbers() =>
        Assert.IsType<NumberColumn>(TextTables.Survey(TextTables.Rows("year,x,label", i => $"{1950 + i},{i * i % 7},{i % 2}")).Column("year"));

    [Fact]
    public void Cells_of_test_rows_that_do_not_fit_are_missing_and_told()
    {
        using var data = TextTables.Load(TextTables.Rows("a,label", i => $"{(i is 14 or 29 ? "much" : $"{i * i % 7}")},{"xy"[i % 2]}"));
        Assert.Equal(["2 cells of the test rows are taken for missing ones. The first: rows.csv, line 16, column 1 (\"a\"): \"much\" is not a number, and all of the training rows' cells are."], data.Table!.Notes);
        Assert.Equal((40, 10), (data.Train.Count, data.Test.Count));
        Assert.Equal(0, data.Test.Inputs()[2]);
    }

    [Fact]
    public void A_column_that_gives_the_target_away_is_told()
    {
        string[] NotesOf(string text) => [.. TextTables.Survey(text).Description.Notes];
        string Told(string name) => $"The column \"{name}\" tells the target in each of the first 80 training rows. If it is not known before the target is, leave it out (data.ignore).";

        Assert.Equal([Told("alive")], NotesOf(TextTables.Rows("alive,x,label", i => $"{(i * i % 7 > 2 ? "yes" : "no")},{i % 5},{(i * i % 7 > 2 ? 1 : 0)}", 100)));
        Assert.Equal([Told("log"), Told("down")], NotesOf(TextTables.Rows(
            "log,down,x,label", i => FormattableString.Invariant($"{Math.Log(1 + (i * 37 % 101)):0.000},{-3.5 * (i * 37 % 101)},{i % 5},{i * 37 % 101}"), 100)));
        Assert.Equal([Told("mass")], NotesOf(TextTables.Rows("mass,x,label", i => $"{3 * (i * 37 % 101)} kg,{i % 5},{i * 37 % 101} m", 100)));
        Assert.Empty(NotesOf(TextTables.Rows("near,x,label", i => $"{(i == 12 ? "no" : i * i % 7 > 2 ? "yes" : "no")},{i % 5},{(i * i % 7 > 2 ? 1 : 0)}", 100)));
        // One row alone is of another class, and so is the only cell of many a sparse column.
        Assert.Empty(NotesOf(TextTables.Rows("sparse,x,label", i => $"{(i == 12 ? "yes" : "no")},{i % 5},{(i == 12 ? "rare" : i == 13 ? "rare" : "common")}", 100).Replace("no,3,rare", "yes,3,rare")));
    }

    [Fact]
    public void Numbers_whose_squares_overflow_are_left_out_and_named()
    {
        Assert.Equal(
            "numbers too far apart: their spread overflows, unless they are divided",
            Assert.IsType<OverflowingColumn>(TextTables.Survey(TextTables.Rows("x,y,label", i => $"{(i % 2 == 0 ? "-" : "")}1e308,{i * i % 7},{i % 2}")).Column("x")).Note);
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
