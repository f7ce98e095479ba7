using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Data;

public class BuiltInDatasetTests
{
    private static readonly DataFolders Nowhere = new() { System = "nowhere" };

    [Fact]
    public void Digits_are_the_1797_images_in_file_order()
    {
        using var digits = new Digits().Load(Nowhere);

        Assert.Equal([1, 8, 8], digits.InputShape);
        Assert.Equal((1437, 64), (digits.Train.Count, digits.Train.Width));
        Assert.Equal((360, 64), (digits.Test.Count, digits.Test.Width));
        Assert.Equal(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], Classes(digits));
        Assert.Equal([0f, 0, 5 / 16f, 13 / 16f, 9 / 16f, 1 / 16f], digits.Train.Inputs()[..6]);
        Assert.Equal([0, 1, 2, 3], digits.Train.Targets[..4]);
        Assert.Equal([2, 3, 4, 5], digits.Test.Targets[..4]);
        Assert.Equal("6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8", digits.Sha256);
        Assert.Equal("pixel63", digits.Columns[63]);
    }

    [Fact]
    public void Two_moons_are_the_same_on_every_machine()
    {
        using var moons = new TwoMoons().Load(Nowhere);

        Assert.Equal("02a278fae3e541fdb82430375b47c152ac3ac7a46dccdbb8001ff2e4587148ba", moons.Sha256);
        Assert.Equal((1600, 2), (moons.Train.Count, moons.Train.Width));
        Assert.Equal((400, 2), (moons.Test.Count, moons.Test.Width));
        Assert.Equal(800, moons.Train.Targets.Sum());
        Assert.InRange(moons.Train.Inputs().Max(Math.Abs), 1.5f, 3f);
    }

    [Fact]
    public void Fashion_mnist_that_is_missing_names_both_ways_to_get_it()
    {
        var error = Assert.Throws<DataException>(() => new FashionMnist().Load(Nowhere with { Data = "mine" }));

        Assert.Equal(
            $"fashion-mnist was not found in mine or {Path.Combine("mine", "fashion-mnist")} or {Path.Combine("nowhere", "fashion-mnist")}. "
            + "Install Debian's package dataset-fashion-mnist, or put the files train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, "
            + "t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz into a folder DIR and make DIR the data folder.",
            error.Message);
    }

    [Fact]
    public void Fashion_mnist_is_read_where_Debian_puts_it()
    {
        var source = new FashionMnist();
        Assert.SkipWhen(source.Locate(new DataFolders()).Found is null, "dataset-fashion-mnist is not installed");

        using var fashion = source.Load(new DataFolders());

        Assert.Equal([1, 28, 28], fashion.InputShape);
        Assert.Equal((60000, 784), (fashion.Train.Count, fashion.Train.Width));
        Assert.Equal((10000, 784), (fashion.Test.Count, fashion.Test.Width));
        Assert.Equal("Ankle boot", Classes(fashion)[(int)fashion.Train.Targets[0]]);
        Assert.Equal(1f, fashion.Train.Inputs().Max());
        Assert.Equal(0.2860, fashion.Train.Inputs().Average(value => (double)value), 0.0001);
    }

    [Fact]
    public void A_small_fashion_mnist_is_read_uncompressed_and_its_faults_are_told()
    {
        using var folder = new TemporaryFolder();
        byte[] image = [.. Enumerable.Repeat((byte)51, 784)];
        foreach (var part in new[] { "train", "t10k" })
        {
            File.WriteAllBytes(folder.File($"{part}-images-idx3-ubyte"), [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28, .. image]);
            File.WriteAllBytes(folder.File($"{part}-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 1, 3]);
        }

        using (var data = new FashionMnist().Load(Nowhere with { Data = folder.Path }))
        {
            Assert.Equal(0.2f, data.Test.Inputs()[(5 * 28) + 5]);
            Assert.Equal(3, data.Train.Targets[0]);
        }

        var labels = folder.File("t10k-labels-idx1-ubyte");
        File.WriteAllBytes(labels, [0, 0, 8, 1, 0, 0, 0, 1, 10]);
        Assert.Equal(
            $"{labels} is damaged: label 0 is 10, and the classes are 0 to 9.",
            Assert.Throws<DataException>(() => new FashionMnist().Load(Nowhere with { Data = folder.Path })).Message);
        File.WriteAllBytes(labels, [0, 0, 8, 1, 0, 0, 0, 2, 1, 1]);
        Assert.Equal(
            $"{labels} holds 2 labels for the 1 images of t10k-images-idx3-ubyte.",
            Assert.Throws<DataException>(() => new FashionMnist().Load(Nowhere with { Data = folder.Path })).Message);
    }

    private static IReadOnlyList<string> Classes(Dataset data) => ((Classification)data.Task).Classes;
}
