using DistributedEnsemble.Training.Tasks;
using System.Security.Cryptography;
using System.Text;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Data;

public sealed class CsvSourceTests : IDisposable
{
    private const string Rows =
        "width,label,height\r\n1,10,0.5\r\n3,2,0.5\r\n\r\n5,10,0.5\r\n7,2,0.5\r\n100,2,100\r\n4, 10 ,0.5\r\n";

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void The_label_is_the_column_of_that_name_and_every_fifth_row_is_test()
    {
        using var data = Load(Rows);

        Assert.Equal(["width", "height"], data.Columns);
        Assert.Equal("label", data.Task.Target);
        Assert.Equal([2], data.InputShape);
        Assert.Equal([5, 2], data.Train.Inputs.shape);
        Assert.Equal([1, 2], data.Test.Inputs.shape);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Rows))), data.Sha256);
    }

    [Fact]
    public void Labels_that_are_numbers_are_ordered_as_numbers()
    {
        using var data = Load(Rows);
        Assert.Equal(["2", "10"], Classes(data));
        Assert.Equal([1, 0, 1, 0, 1], data.Train.Targets);
        Assert.Equal([0], data.Test.Targets);
    }

    [Fact]
    public void Other_labels_are_ordered_as_text_and_the_last_column_holds_them_by_default()
    {
        using var data = Load("\ufeffx,kind\n1,\"b \"\"q\"\", é\"\n2,10\n3,2\n4,10\n5,2\n6,2\n7,\"b \"\"q\"\", é\"\n");
        Assert.Equal(["10", "2", "b \"q\", é"], Classes(data));
        Assert.Equal("kind", data.Task.Target);
        Assert.Equal(["x"], data.Columns);
    }

    [Fact]
    public void Features_are_standardised_by_the_training_rows_and_a_constant_one_is_only_centred()
    {
        using var data = Load(Rows);

        Assert.Equal([4f, 0.5f], data.Preprocessing.Mean!);
        Assert.Equal([2f, 1f], data.Preprocessing.Deviation!);
        Assert.Equal([-1.5f, 0, -0.5f, 0, 0.5f, 0, 1.5f, 0, 0, 0], data.Train.Inputs.data<float>().ToArray());
        Assert.Equal([48f, 99.5f], data.Test.Inputs.data<float>().ToArray());
    }

    [Fact]
    public void A_constant_feature_that_float_sums_would_blur_has_the_deviation_one()
    {
        using var data = Load("x,c,k\n" + string.Concat(Enumerable.Range(0, 1000).Select(i => $"{i},0.1,{i % 2}\n")));
        Assert.Equal(1f, data.Preprocessing.Deviation![1]);
        Assert.Equal(0.1f, data.Preprocessing.Mean![1]);
    }

    [Fact]
    public void A_clients_rows_get_the_same_bits_as_the_training_rows()
    {
        var random = new Random(1);
        var numbers = Enumerable.Range(0, 5000).Select(_ => (float)((random.NextDouble() * 100) - 30)).ToArray();
        using var data = Load("a,b,label\n" + string.Concat(numbers.Chunk(2).Select((row, i) => $"{row[0]:R},{row[1]:R},{i / 5 % 2}\n")));
        var trained = numbers.Chunk(2).Where((_, row) => row % 5 != 4).SelectMany(row => row).ToArray();
        using var raw = tensor(trained).reshape(-1, 2);

        using var applied = data.Preprocessing.Apply(raw);

        Assert.True(applied.bytes.SequenceEqual(data.Train.Inputs.bytes));
        Assert.Equal(trained, raw.data<float>().ToArray());
    }

    [Fact]
    public void Tensors_outlive_the_scope_in_which_they_were_loaded()
    {
        Dataset data;
        using (NewDisposeScope()) data = Load(Rows);
        using (data) Assert.Equal(5, data.Train.Inputs.shape[0]);
    }

    [Fact]
    public void A_file_is_looked_for_here_and_in_the_data_folder()
    {
        File.WriteAllText(_folder.File("small.csv"), Rows);

        using var data = new CsvSource("small.csv").Load(new DataFolders(_folder.Path));
        var error = Assert.Throws<DataException>(() => new CsvSource("none.csv").Load(new DataFolders("elsewhere")));

        Assert.Equal("small.csv", data.Name);
        Assert.Equal($"none.csv was not found: looked for none.csv and {Path.Combine("elsewhere", "none.csv")}. If it lies in another folder DIR, add --data DIR.", error.Message);
    }

    [Fact]
    public void A_large_file_takes_about_the_memory_of_its_numbers()
    {
        const int Features = 50, Count = 20_000;
        var row = string.Join(',', Enumerable.Range(0, Features).Select(i => $"0.{i}12345"));
        var csv = Encoding.UTF8.GetBytes(
            $"{string.Join(',', Enumerable.Range(0, Features).Select(i => $"f{i}"))},label\n{string.Concat(Enumerable.Range(0, Count).Select(i => $"{row},{i % 3}\n"))}");
        Load(Rows).Dispose();
        var before = GC.GetAllocatedBytesForCurrentThread();

        using var data = new CsvSource("rows.csv").Load(new MemoryStream(csv), "rows.csv");

        Assert.Equal(Count, data.Train.Count + data.Test.Count);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (long)(1.5 * Features * Count * sizeof(float)));
    }

    public void Dispose() => _folder.Dispose();

    private static Dataset Load(string csv) => new CsvSource("rows.csv").Load(new MemoryStream(Encoding.UTF8.GetBytes(csv)), "rows.csv");

    private static IReadOnlyList<string> Classes(Dataset data) => ((Classification)data.Task).Classes;
}
