using SkiaSharp;

namespace DistributedEnsemble.Client.Tests.Commands;

/// <summary>A folder of images from its training to the prediction of new ones, as a user types it.</summary>
public sealed class ImageTests : IDisposable
{
    private readonly TestDriver _driver = new();

    [Theory]
    [InlineData("lenet", false)]
    [InlineData("resnet", true)]
    public async Task A_run_on_images_predicts_a_folder_of_them_and_a_single_one(string network, bool isColour)
    {
        for (var i = 0; i < 24; i++) Write($"train/{(i % 2 == 0 ? "dark" : "light")}/{i:00}.{(i % 4 < 2 ? "png" : "jpg")}", i % 2 == 0, isColour);
        for (var i = 0; i < 6; i++) Write($"new/{(i < 3 ? "a" : "b")}/{i}.{(i % 2 == 0 ? "jpeg" : "PNG")}", i < 3, isColour);
        File.WriteAllText(_driver.Place("train/dark/broken.png"), "no image");
        File.WriteAllText(_driver.Place("new/broken.jpg"), "no image");

        string[] settings = network == "lenet" ? ["--set", "model.kind=lenet"] : ["--set", "model.kind=resnet", "--set", "model.depth=8", "--set", "model.width=4"];
        var trained = (await _driver.RunAsync(
            ["train", "--name", "shades", "--dataset", _driver.Place("train"), "--members", "2", "--epochs", network == "lenet" ? "40" : "6", "--set", "data.validationFraction=0", .. settings])).Succeeded();
        var predicted = (await _driver.RunAsync("predict", "shades", "--input", _driver.Place("new"))).Succeeded();
        var single = (await _driver.RunAsync("predict", "shades", "--input", _driver.Place("new/a/0.jpeg"))).Succeeded();

        Assert.Contains($"24 images (20 train, 0 validate, 4 test), 8×8 {(isColour ? "colour" : "grey")} pixels", trained.Error + trained.Out);
        Assert.Contains("1 file is no image that can be read and is left out: dark/broken.png.", trained.Error + trained.Out);
        var rows = predicted.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(',')).ToArray();
        Assert.Equal(["file", "label", "entropy", "p(dark)", "p(light)"], rows[0]);
        Assert.Equal(
            [("a/0.jpeg", "dark"), ("a/1.PNG", "dark"), ("a/2.jpeg", "dark"), ("b/3.PNG", "light"), ("b/4.jpeg", "light"), ("b/5.PNG", "light")],
            rows[1..].Select(row => (row[0], row[1])));
        Assert.Equal("Note: 1 file is no image that can be read and is left out: broken.jpg.\n", predicted.Error);
        Assert.Equal($"0.jpeg,{string.Join(',', rows[1][1..])}", single.Out.Split('\n')[1]);
        (await _driver.RunAsync("predict", "shades", "--input", _driver.Place("new/broken.jpg")))
            .Refused(2, $"{_driver.Place("new/broken.jpg")} is no image that can be read: it takes PNG or JPEG.");
    }

    [Fact]
    public async Task A_run_on_rows_predicts_no_images()
    {
        (await _driver.RunAsync("train", "--name", "rows", "--dataset", "two-moons", "--members", "1", "--epochs", "1")).Succeeded();
        Write("new/0.png", isDark: true, isColour: false);

        foreach (var path in new[] { "new", "new/0.png" })
        {
            (await _driver.RunAsync("predict", "rows", "--input", _driver.Place(path)))
                .Refused(2, $"{_driver.Place(path)}: this run was not trained on a folder of images, and predicts rows. Give a table with its columns.");
        }
    }

    public void Dispose() => _driver.Dispose();

    private void Write(string name, bool isDark, bool isColour)
    {
        using var bitmap = new SKBitmap(8, 8);
        var shade = (byte)(isDark ? 20 : 235);
        for (var y = 0; y < 8; y++) for (var x = 0; x < 8; x++) bitmap.SetPixel(x, y, new SKColor(shade, shade, isColour ? (byte)(255 - shade) : shade));
        Directory.CreateDirectory(Path.GetDirectoryName(_driver.Place(name))!);
        using var file = File.Create(_driver.Place(name));
        bitmap.Encode(file, Path.GetExtension(name).StartsWith(".j", StringComparison.Ordinal) ? SKEncodedImageFormat.Jpeg : SKEncodedImageFormat.Png, 95);
    }
}
