using System.Text;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Data;

public class DataDescriptionTests
{
    private static readonly DataDescription Description = new()
    {
        Dataset = "iris.csv",
        Sha256 = new string('a', 64),
        InputShape = [2],
        Columns = ["width", "height"],
        Task = new Classification(["<é>", "b"]) { Target = "kind" },
        Mean = [0.1f, 2],
        Deviation = [1e-7f, 3],
        Scale = 1,
        Splits = new SplitSizes(90, 10, 25),
    };

    [Fact]
    public void A_description_is_read_as_it_was_written()
    {
        var json = Description.ToJson();
        var read = DataDescription.FromJson(json);

        Assert.Equal(json, read.ToJson());
        Assert.Equal(Description.Mean, read.Mean);
        Assert.Equal(new SplitSizes(90, 10, 25), read.Splits);
        Assert.Contains("\"classes\": [\n      \"<é>\"", json, StringComparison.Ordinal);
    }

    [Fact]
    public void A_description_holds_what_a_dataset_is()
    {
        using var digits = new Digits().Load(new DataFolders());
        var description = DataDescription.FromJson(DataDescription.Of(digits, 137).ToJson());

        Assert.Equal(new SplitSizes(1300, 137, 360), description.Splits);
        Assert.Equal([1, 8, 8], description.InputShape);
        Assert.Equal(16, description.Preprocessing.Scale);
        Assert.Null(description.Mean);
        Assert.Equal(digits.Sha256, description.Sha256);
    }

    [Fact]
    public void A_name_that_every_answer_would_repeat_is_short()
    {
        using var digits = new Digits().Load(new DataFolders());
        string[] names = [.. ((Classification)digits.Task).Classes];
        names[3] = new string('x', DataDescription.LongestName + 1);
        using var longer = new Dataset
        {
            Name = digits.Name, Sha256 = digits.Sha256, InputShape = digits.InputShape, Columns = digits.Columns, Preprocessing = digits.Preprocessing,
            Train = digits.Train, Test = digits.Test, Task = new Classification(names),
        };

        Assert.Equal(
            $"digits: the class \"{new string('x', 40)}…\" has a name of 257 characters: it may have up to 256.",
            Assert.Throws<DataException>(() => DataDescription.Of(longer, 0)).Message);
    }

    [Theory]
    [InlineData("\"scale\": 1", "\"scale\": 0", "scale is not above 0")]
    [InlineData("\"scale\": 1", "\"scale\": 1e99", "scale is not above 0")]
    [InlineData("aaaa", "AAAA", "sha256 is not 64 lower-case hexadecimal digits")]
    [InlineData("\"height\"", "\"width\"", "columns are not distinct names")]
    [InlineData("\"height\"", "null", "columns are not distinct names")]
    [InlineData("\"b\"", "\"<é>\"", "classes are not two or more distinct names")]
    [InlineData("1E-07", "0", "deviation is not 2 numbers above 0")]
    [InlineData("0.1,", "", "mean is not 2 finite numbers")]
    [InlineData("\"train\": 90", "\"train\": 0", "splits are not sizes, or there is nothing to train on")]
    public void A_damaged_description_is_told(string text, string by, string reason)
    {
        var json = Description.ToJson();
        var error = Assert.Throws<DataException>(() => DataDescription.FromJson(json.Replace(text, by, StringComparison.Ordinal)));
        Assert.Equal($"data.json is damaged: {reason}.", error.Message);
    }

    [Fact]
    public void A_run_that_was_described_by_its_classes_alone_is_read_as_a_classification()
    {
        var today = System.Text.Json.Nodes.JsonNode.Parse(Description.ToJson())!.AsObject();
        today.Remove("task");
        today.Add("classes", new System.Text.Json.Nodes.JsonArray("<é>", "b"));
        today.Add("labelColumn", "kind");

        var read = DataDescription.FromJson(today.ToJsonString());

        Assert.Equal(Description.Task, read.Task);
        Assert.Equal(Description.ToJson(), read.ToJson());
    }

    [Fact]
    public void Whatever_is_damaged_only_the_documented_exception_escapes() => Fuzz.Run(
        Encoding.UTF8.GetBytes(Description.ToJson()),
        bytes => DataDescription.FromJson(Encoding.UTF8.GetString(bytes)),
        typeof(DataException));
}
