namespace DistributedEnsemble.Client.Tests;

/// <summary>Runs of two members on small tables.</summary>
internal static class TestTables
{
    /// <summary>Two classes whose widths have opposite signs; the name of one has a comma.</summary>
    public static async Task TrainFlowersAsync(this TestDriver driver, params string[] more)
    {
        var lines = Enumerable.Range(0, 60).Select(i => i % 2 == 0 ? $"{10 + i % 7},{i % 5},\"big, red\"" : $"{-10 + i % 7},{i % 5},small");
        var data = driver.File("flowers.csv", $"width,height,name\n{string.Join('\n', lines)}\n");
        (await driver.RunAsync(["train", "--dataset", data, "--name", "flowers", "--members", "2", "--epochs", "5", .. more])).Succeeded();
    }

    /// <summary>Numbers and times that rows lack, categories with an input for each level and with a vector for each.</summary>
    public static async Task TrainHousesAsync(this TestDriver driver, params string[] more)
    {
        var lines = Enumerable.Range(0, 200).Select(i =>
            $"{(i % 9 == 4 ? "" : $"{20 + i * i % 97}")},{(i % 11 == 2 ? "" : $"20{10 + i % 14}-{1 + i % 12:00}-{1 + i % 28:00}T{i % 24:00}:00:00")},"
            + $"{(i % 13 == 5 ? "" : (i % 3) switch { 0 => "york", 1 => "bath", _ => "hull" })},s{i * 7 % 23},{150000 + 900 * (i * i % 97) + 20000 * (i % 3)},"
            + $"{(i * i % 97 > 48 ? "yes" : "no")}");
        var data = driver.File("houses.csv", $"area,day,town,street,price,sold\n{string.Join('\n', lines)}\n");
        if (more.Length == 0) more = ["--target", "price"];
        (await driver.RunAsync(["train", "--dataset", data, "--name", "houses", "--members", "2", "--epochs", "5", .. more])).Succeeded();
    }
}
