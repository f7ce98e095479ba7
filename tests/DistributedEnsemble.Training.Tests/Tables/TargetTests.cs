using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Tables;

public class TargetTests
{
    /// <summary>As in tables of promoters and of credit cards.</summary>
    [Fact]
    public void A_minus_beside_a_plus_may_be_meant_as_a_class() => Assert.Equal(
        "rows.csv: the target \"class\" is \"+\" in every training row: there is nothing to learn. 25 rows have \"-\", which is a missing cell: if it is a class, write it as \"minus\" in the file.",
        Assert.Throws<DataException>(() => TextTables.Survey(TextTables.Rows("n,class", i => $"{i % 7},{(i % 2 == 0 ? "+" : "-")}"))).Message);

    [Fact]
    public void A_column_that_few_rows_have_is_not_taken_as_the_target() => Assert.Equal(
        "kind", TextTables.Survey(TextTables.Rows("n,kind,died", i => $"{i % 7},{(i % 2 == 0 ? "a" : "b")},{(i < 3 ? i : "")}")).Target.Name);

    /// <summary>Whether they train or test, and whether another table tests.</summary>
    [Fact]
    public void A_column_may_be_the_target_where_twenty_rows_have_it()
    {
        string Target(Func<int, bool> has, bool hasTest) => TableSurvey.Of(
            TextTables.File(TextTables.Rows("n,kind,died", i => $"{i % 7},{(i % 2 == 0 ? "a" : "b")},{(has(i) ? i / 5 % 2 : "")}", 100)), TextTables.Whole(), hasTest).Target.Name;

        foreach (var hasTest in (bool[])[false, true])
        {
            Assert.Equal("kind", Target(i => i % 5 == 0 && i < 95, hasTest));
            Assert.Equal("died", Target(i => i % 5 == 0, hasTest));
            Assert.Equal("kind", Target(i => i < 19, hasTest));
            Assert.Equal("died", Target(i => i < 20, hasTest));
        }
    }

    [Fact]
    public void Why_no_column_can_be_predicted_is_told() => Assert.Equal(
        "rows.csv has no column that can be predicted: each is constant, a name of the row, text, of dates, or in fewer than 20 rows.",
        Assert.Throws<DataException>(() => TextTables.Survey(TextTables.Rows("id,one,died", i => $"{i},x,{(i < 12 ? i % 2 : "")}"))).Message);

    private static readonly string s_numbers = TextTables.Rows("a,b,c", i => $"{i * i % 7},{i * 3 % 11},{i % 2}");

    [Theory]
    [InlineData("a,Label,c", "Label")]
    [InlineData("CLASS,b,c", "CLASS")]
    [InlineData("class,b,target", "target")]
    [InlineData("a,b,c", "c")]
    public void The_target_has_a_name_or_is_the_last(string header, string target) =>
        Assert.Equal(target, TextTables.Survey(s_numbers.Replace("a,b,c", header, StringComparison.Ordinal)).Target.Name);

    [Fact]
    public void The_last_column_of_use_is_the_target_and_flags_say_otherwise()
    {
        var text = TextTables.Rows("a0,a,b,one,id", i => $"{i * i % 11},{i * i % 7},{"xy"[i % 2]},1,{i}");
        Assert.Equal("b", TextTables.Survey(text).Target.Name);
        Assert.Equal("a", TextTables.Survey(text, new DataSpec { Target = "a" }).Target.Name);
        Assert.Equal("a", TextTables.Survey(text, new DataSpec { Ignore = ["b"] }).Target.Name);
        Assert.Equal("column2", TextTables.Survey(text[(text.IndexOf('\n', StringComparison.Ordinal) + 1)..], new DataSpec { Target = "2" }).Target.Name);
    }

    [Fact]
    public void Few_whole_numbers_are_classes_where_each_stands_several_times_and_codes_are_where_there_are_many()
    {
        LearningTask TaskOf(Func<int, string> target) => TextTables.Survey(TextTables.Rows("a,y", i => $"{i * i % 7},{target(i)}", 100)).Target.Task;
        Assert.IsType<Classification>(TaskOf(i => $"{i % 5}"));
        Assert.IsType<Regression>(TaskOf(i => $"{i % 30}"));
        Assert.Equal(24, Assert.IsType<Classification>(TaskOf(i => $"{i % 30:00}")).Classes.Count);
        Assert.IsType<Regression>(TextTables.Survey(TextTables.Rows("a,y", i => $"{i * i % 7},{i * 7 % 20}", 75)).Target.Task);
    }

    [Theory]
    [InlineData(" kg", "kg", false, "3 to 103 kg")]
    [InlineData("k", "k", false, "3 to 103 k")]
    [InlineData("k M", null, true, "3000 to 9.3E+07")]
    public void Numbers_with_a_unit_are_targets_in_it(string units, string? unit, bool isShort, string outcomes)
    {
        string Of(int i) => units == "k M" ? $"{(i * 37 % 101) + 3}{"kM"[i % 2]}" : $"{(i * 37 % 101) + 3}{units}";
        using var data = TextTables.Load(TextTables.Rows("a,mass", i => $"{i * i % 7},{Of(i)}", 104));
        var task = Assert.IsType<Regression>(data.Task);
        Assert.Equal(("mass", unit, isShort), (task.Target, task.Unit, task.Short));
        Assert.Equal(outcomes, task.Outcomes);
        Assert.Equal(isShort ? 3000 : 3, task.Mean + (task.Deviation * data.Train.Targets[0]), 0.5);
    }

    [Theory]
    [InlineData("20230101 20230201 20230301")]
    [InlineData("2023-01-01 2023-02-01 2023-03-01")]
    [InlineData("500 1k 5k")]
    [InlineData("500 1k 5k varies")]
    public void Few_days_or_numbers_that_are_written_short_are_classes(string texts)
    {
        var levels = texts.Split(' ');
        string Table(int rows) => TextTables.Rows("a,y", i => $"{i * i % 7},{levels[i * 7 % levels.Length]}", rows);
        Assert.Equal(levels.Order(StringComparer.Ordinal), Assert.IsType<Classification>(TextTables.Survey(Table(300), new DataSpec { Target = "y" }).Target.Task).Classes.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Rows_without_a_target_neither_train_nor_test_nor_count()
    {
        var rows = Enumerable.Range(0, 50).Select(i => $"{i * i % 7},{"xy"[i % 2]}").ToList();
        using var plain = TextTables.Load("a,label\n" + string.Join('\n', rows));
        foreach (var (place, label) in new[] { (3, "NA"), (17, ""), (30, "?") }) rows.Insert(place, $"5,{label}");
        using var withGaps = TextTables.Load("a,label\n" + string.Join('\n', rows));

        Assert.Equal(plain.Train.Inputs(), withGaps.Train.Inputs());
        Assert.Equal(plain.Test.Targets, withGaps.Test.Targets);
        Assert.Equal(3, withGaps.Table!.RowsWithoutTarget);
        Assert.Equal(["x", "y"], ((Classification)withGaps.Task).Classes);
    }

    [Fact]
    public void What_people_should_know_of_the_target_is_said()
    {
        Assert.Equal(
            ["\"0\" is the target of 99.4 % of the training rows: whoever always says so is right as often. If this is not the target, name it with data.target."],
            TextTables.Survey(TextTables.Rows("a,label", i => $"{i * i % 7},{(i == 1 ? 1 : 0)}", 200)).Description.Notes);
        Assert.Equal(
            ["The classes \"<=50K\" and \"<=50K.\" and \"<=50k\" differ only by case or punctuation, and are learned as different classes. If they are one, write them alike in the file."],
            TextTables.Survey(TextTables.Rows("a,label", i => $"{i * i % 7},{(i % 4) switch { 0 => "<=50K", 1 => "<=50K.", 2 => "<=50k", _ => ">60K" }}")).Description.Notes);
    }

    [Fact]
    public void A_word_for_no_target_that_may_be_a_class_is_told() => Assert.Equal(
        ["10 rows have no target, because it is \"None\" there. If this is a class, call it otherwise in the file, as \"no\"."],
        TextTables.Survey(TextTables.Rows("a,damage", i => $"{i * i % 7},{(i % 6 == 0 ? "None" : i % 6 == 3 ? "" : "xy"[i % 2])}", 60)).Description.Notes);

    [Fact]
    public void A_class_that_only_tests_is_left_out_and_said()
    {
        using var data = TextTables.Load(TextTables.Rows("a,label", i => $"{i * i % 7},{(i == 14 ? "z" : "xy"[i % 2])}"));
        Assert.Equal(["x", "y"], ((Classification)data.Task).Classes);
        Assert.Equal((40, 9), (data.Train.Count, data.Test.Count));
        Assert.Equal(["1 test row has a class that no training row has (\"z\"): nothing can learn it, and the measures are without."], data.Table!.Notes);
    }

    [Theory]
    [InlineData("target=d", "rows.csv has no column \"d\" to be the target: did you mean \"id\"?")]
    [InlineData("target=one", "rows.csv: the target \"one\" is \"1\" in every training row: there is nothing to learn. Choose another with data.target.")]
    [InlineData("target=none", "rows.csv: no row has a target, the column \"none\" is empty. Choose another with data.target.")]
    [InlineData("target=id", "rows.csv: the target \"id\" has 40 classes in 40 training rows: a class needs several rows. Choose another with data.target.")]
    [InlineData("target=b,task=regression", "rows.csv: the target \"b\" cannot be learned by regression: \"x\" is not a number. Choose data.task classification.")]
    [InlineData("target=b,ignore=zip", "rows.csv has no column \"zip\" to be one of data.ignore: it has \"a\", \"b\", \"one\", \"none\", \"id\".")]
    [InlineData("target=b,ignore=a;a", "rows.csv: data.ignore names the column \"a\" twice. Once is enough.")]
    [InlineData("target=b,ignore=b", "rows.csv: the target \"b\" is one of data.ignore. Choose another with data.target.")]
    [InlineData("target=b,ignore=a", "rows.csv has no column to predict \"b\" from: \"a\" is left out (ignored); \"one\" is left out (always \"1\"); \"none\" is left out (always missing); \"id\" is left out (another text in every row).")]
    public void A_target_that_cannot_be_is_told(string options, string message)
    {
        var given = options.Split(',').Select(option => option.Split('=')).ToDictionary(option => option[0], option => option[1]);
        var spec = new DataSpec
        {
            Target = given.GetValueOrDefault("target"),
            Task = given.ContainsKey("task") ? TaskKind.Regression : null,
            Ignore = given.TryGetValue("ignore", out var names) ? [.. names.Split(';')] : null,
        };
        var text = TextTables.Rows("a,b,one,none,id", i => $"{i * i % 7},{"xy"[i % 2]},1,NA,k{i}");
        Assert.Equal(message, Assert.Throws<DataException>(() => TextTables.Survey(text, spec)).Message);
    }

    [Theory]
    [InlineData("when", "rows.csv: the target \"when\" is of dates or times, as \"2024-01-01\", which nothing here predicts: write a number in their place, such as days from a day on, or choose another with data.target.")]
    [InlineData("price", "rows.csv: the target \"price\" is of numbers, and of texts such as \"sold\". Empty those cells, so that their rows are left out, or choose another with data.target.")]
    public void Dates_and_numbers_among_words_are_no_targets(string target, string message) => Assert.Equal(message, Assert.Throws<DataException>(() => TextTables.Survey(
        TextTables.Rows("a,when,price", i => $"{i * i % 7},2024-0{1 + (i / 28)}-{1 + (i % 28):00},{(i % 9 == 2 ? "sold" : $"{i * 7}")}"), new DataSpec { Target = target })).Message);

    [Fact]
    public void One_truth_in_several_spellings_is_nothing_to_learn() => Assert.Equal(
        "rows.csv: the target \"is\" is \"true\" in every training row: there is nothing to learn. Choose another with data.target.",
        Assert.Throws<DataException>(() => TextTables.Survey(TextTables.Rows("a,is", i => $"{i * i % 7},{(i % 3 == 0 ? "TRUE" : "true")}"), new DataSpec { Target = "is" })).Message);

    [Fact]
    public void A_few_rows_are_too_few() => Assert.Equal(
        "rows.csv has 19 rows: at least 20 are needed.",
        Assert.Throws<DataException>(() => TextTables.Survey(TextTables.Rows("a,b", i => $"{i * i % 7},{i % 2}", 19))).Message);
}
