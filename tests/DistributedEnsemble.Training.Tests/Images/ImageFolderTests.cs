using System.Security.Cryptography;
using System.Text;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tasks;
using SkiaSharp;

namespace DistributedEnsemble.Training.Tests.Images;

public sealed class ImageFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Subfolders_are_classes_and_every_fifth_image_tests()
    {
        foreach (var i in Enumerable.Range(0, 12)) Write($"cat/{i:00}.png", 8, 8, (x, y) => new SKColor(10, 10, 10));
        foreach (var i in Enumerable.Range(0, 13)) Write($"dog/{i:00}.PNG", 8, 8, (x, y) => new SKColor(200, 200, 200));
        using var data = Load();

        Assert.Equal(["cat", "dog"], ((Classification)data.Task).Classes);
        Assert.Equal([1, 8, 8], data.InputShape);
        Assert.Equal((20, 5), (data.Train.Count, data.Test.Count));
        Assert.Equal([0f, 0, 1, 1, 1], data.Test.Targets);
        Assert.Equal(10 / 255f, data.Train.Inputs()[0]);
    }

    [Fact]
    public void Hidden_folders_and_files_are_passed_over()
    {
        foreach (var i in Enumerable.Range(0, 24)) Write($"{"ab"[i % 2]}/{i:00}.png", 8, 8, (x, y) => new SKColor(1, 1, 1));
        Write(".ipynb_checkpoints/00-checkpoint.png", 8, 8, (x, y) => new SKColor(1, 1, 1));
        File.WriteAllText(_folder.File("a/._00.png"), "what an archive adds");
        using var data = Load();

        Assert.Equal(["a", "b"], ((Classification)data.Task).Classes);
        Assert.Equal((24, 0), (data.Train.Count + data.Test.Count, data.Images!.Damaged));
    }

    [Fact]
    public void A_run_that_was_trained_with_hidden_ones_finds_them_again()
    {
        foreach (var i in Enumerable.Range(0, 24)) Write($"{"ab"[i % 2]}/{i:00}.png", 8, 8, (x, y) => new SKColor(1, 1, 1));
        File.WriteAllText(_folder.File("a/._00.png"), "what an archive adds");
        using var data = Load();
        var names = Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(_folder.Path, path).Replace('\\', '/'));
        var bytes = names.Order(StringComparer.Ordinal).SelectMany(name => File.ReadAllBytes(_folder.File(name)) is var image ? [.. Encoding.UTF8.GetBytes($"{name}\n{image.Length}\n"), .. image] : Array.Empty<byte>());
        var former = DataDescription.Of(data, 0) with { Sha256 = Convert.ToHexStringLower(SHA256.HashData([.. bytes])) };

        using var again = Load(recorded: former);
        using var other = Load(recorded: former with { Sha256 = new string('0', 64) });

        Assert.Equal((former.Sha256, 1), (again.Sha256, again.Images!.Damaged));
        Assert.Equal((data.Sha256, 0), (other.Sha256, other.Images!.Damaged));
    }

    [Fact]
    public void Colour_is_three_planes_and_sizes_are_made_equal()
    {
        foreach (var i in Enumerable.Range(0, 12)) Write($"a/{i}.jpg", 30, 20, (x, y) => new SKColor(255, 0, 0));
        foreach (var i in Enumerable.Range(0, 12)) Write($"b/{i}.png", 7, 9, (x, y) => new SKColor(0, 0, 255));
        using var data = Load(new DataSpec { ImageSize = 5 });
        using var wide = Load();

        Assert.Equal([3, 5, 5], data.InputShape);
        var first = data.Test.Inputs()[..75];
        Assert.All(first[..25], red => Assert.InRange(red, 0.98f, 1));
        Assert.All(first[25..], rest => Assert.InRange(rest, 0, 0.02f));
        Assert.Equal([3, 9, 9], wide.InputShape);
    }

    [Fact]
    public void A_smaller_image_is_the_mean_of_the_area()
    {
        foreach (var (i, label) in Enumerable.Range(0, 20).Select(i => (i, "ab"[i % 2])))
            Write($"{label}/{i:00}.png", 4, 2, (x, y) => new SKColor((byte)((x * 10) + (y * 100)), (byte)((x * 10) + (y * 100)), (byte)((x * 10) + (y * 100))));
        using var data = Load(new DataSpec { ImageSize = 2 });
        Assert.Equal([5f, 25, 105, 125], data.Train.Inputs()[..4].Select(pixel => MathF.Round(pixel * 255)));
    }

    [Fact]
    public void Damaged_files_are_named_and_left_out()
    {
        foreach (var i in Enumerable.Range(0, 22)) Write($"{"ab"[i % 2]}/{i:00}.png", 8, 8, (x, y) => new SKColor(1, 1, 1));
        File.WriteAllText(_folder.File("a/broken.png"), "no image");
        File.WriteAllBytes(_folder.File("b/cut.png"), File.ReadAllBytes(_folder.File("b/01.png"))[..60]);
        using var data = Load();

        Assert.Equal(22, data.Train.Count + data.Test.Count);
        Assert.Equal((2, "a/broken.png, b/cut.png"), (data.Images!.Damaged, string.Join(", ", data.Images.DamagedFiles)));
        Assert.Equal(
            ["2 files are no images that can be read and are left out: a/broken.png, b/cut.png."],
            DataSummary.Notes(DataDescription.FromJson(DataDescription.Of(data, 0).ToJson())));
    }

    [Fact]
    public void The_folders_train_and_test_say_what_tests()
    {
        foreach (var i in Enumerable.Range(0, 24)) Write($"{(i < 20 ? "train" : "test")}/{"ab"[i % 2]}/{i:00}.png", 8, 8, (x, y) => new SKColor(1, 1, 1));
        using var data = Load();
        Assert.Equal((20, 4), (data.Train.Count, data.Test.Count));
    }

    [Fact]
    public void A_folder_without_images_or_with_one_class_is_told()
    {
        Assert.Equal($"{_folder.Path} has no image: it takes a subfolder for each class, with PNG or JPEG files.", Assert.Throws<DataException>(() => Load()).Message);
        Write("cat/1.png", 8, 8, (x, y) => new SKColor(1, 1, 1));
        Assert.Equal(
            $"{_folder.Path} has images of one class, \"cat\": there must be a subfolder for each of two classes at least.", Assert.Throws<DataException>(() => Load()).Message);
        Assert.Equal(
            $"{_folder.Path} is a folder of images: data.target, data.task, data.ignore, data.categorical, data.header and data.test are for tables.",
            Assert.Throws<DataException>(() => Load(new DataSpec { Target = "cat" })).Message);
    }

    public void Dispose() => _folder.Dispose();

    private Dataset Load(DataSpec? data = null, DataDescription? recorded = null) =>
        new DatasetRegistry().Resolve(_folder.Path).Load(new DataFolders(), new EnsembleSpec { Data = data ?? new DataSpec() }, recorded);

    private void Write(string name, int width, int height, Func<int, int, SKColor> pixel)
    {
        using var bitmap = new SKBitmap(width, height);
        for (var y = 0; y < height; y++) for (var x = 0; x < width; x++) bitmap.SetPixel(x, y, pixel(x, y));
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(name))!);
        using var file = File.Create(_folder.File(name));
        bitmap.Encode(file, name.EndsWith("jpg", StringComparison.Ordinal) ? SKEncodedImageFormat.Jpeg : SKEncodedImageFormat.Png, 95);
    }
}
