namespace DistributedEnsemble.Client.Tests.Commands;

/// <summary>What people get wrong: one clear line, exit code 2, and nothing half-written.</summary>
public sealed class MistakesTests : IDisposable
{
    private const string NameRule = "a name has 1 to 63 characters of a-z, 0-9 and -, and starts with a letter or digit.";

    private readonly TestDriver _driver = new();

    [Theory]
    [InlineData("--set trainig.epochs=3", "trainig is an unknown key: did you mean training?")]
    [InlineData("--set training.epoch=3", "training.epoch is an unknown key: did you mean training.epochs?")]
    [InlineData("--epochs many", "--epochs is \"many\": it must be a whole number from 1 to 1000000.")]
    [InlineData("--epochs 0", "--epochs is 0: it must be a whole number from 1 to 1000000.")]
    [InlineData("--members 1000000000", "--members is 1000000000: it must be a whole number from 1 to 10000.")]
    [InlineData("--set training.epochs=0", "training.epochs is 0: it must be a whole number from 1 to 1000000.")]
    [InlineData("--set training={\"epochs\":0}", "training.epochs is 0: it must be a whole number from 1 to 1000000.")]
    [InlineData("--set search={\"over\":{\"training.epochs\":[0,1]}}", "search.over: training.epochs is 0: it must be a whole number from 1 to 1000000.")]
    [InlineData("--seed -1", "--seed is -1: it must be a whole number from 0 to 18446744073709551615.")]
    [InlineData("--set training.schedule.learningRate=NaN", "training.schedule.learningRate is \"NaN\": it must be a number above 0 and at most 1000.")]
    [InlineData("--set regularization.dropout.rate=1.2", "regularization.dropout.rate is 1.2: a dropout rate is a probability below 1 (0 switches dropout off).")]
    [InlineData("--set model.hidden=[100000000000]", "model.hidden[0] is 100000000000: it must be a whole number from 1 to 1000000.")]
    [InlineData("--set model.hidden=[1000000,1000000]", "model: a layer would have 1e+12 weights; at most 536870911 fit a tensor. Make it smaller.")]
    [InlineData("--set model.hidden=[60000,8000,8000]", "model: the network would have more than 536870911 weights. Make it smaller.")]
    [InlineData("--epochs 1000000 --set training.batchSize=1", "--epochs is 1000000: with 1294 steps each that is over 1000000000 steps. Train fewer epochs.")]
    [InlineData("--set snapshots.perMember=10000 --epochs 1", "snapshots.perMember is 10000: a member has only 41 steps. Take fewer snapshots or train longer.")]
    [InlineData("--set threadsPerMember=200 --lanes 2", "threadsPerMember is 200: no silo has more than 2 lanes. Take fewer threads, or start silos with more --lanes.")]
    [InlineData("--dataset houses", "There is no dataset \"houses\". Known are digits, fashion-mnist, two-moons, the path of any table (x.csv), and a folder of images.")]
    [InlineData("--dataset digit", "There is no dataset \"digit\". Did you mean \"digits\"? Known are digits, fashion-mnist, two-moons, the path of any table (x.csv), and a folder of images.")]
    [InlineData("--dataset none.csv", "none.csv was not found: looked for none.csv. If it lies in another folder DIR, add --data DIR.")]
    [InlineData("--name ../x", "--name is \"../x\": " + NameRule)]
    [InlineData("--name X", "--name is \"X\": " + NameRule)]
    [InlineData("--set prediction.from=ema", "prediction.from is ema: EMA models come from averaging, which is off (set averaging.decay, or predict from final).")]
    [InlineData("--set prediction.select=greedy --set data.validationFraction=0.0001", "prediction.select is \"greedy\": greedy selection needs validation rows, and data.validationFraction 0.0001 of 1437 rows is none (raise it, or select all).")]
    [InlineData("--data none", "--data none does not exist: it takes a folder with datasets.")]
    public async Task A_run_that_cannot_be_is_refused_and_leaves_no_folder(string options, string error)
    {
        (await _driver.RunAsync(["train", .. options.Split(' ')])).Refused(2, error);
        Assert.Empty(_driver.Runs);
    }

    [Theory]
    [InlineData("{ \"members\": 0 }", "members is 0: it must be a whole number from 1 to 10000.")]
    [InlineData("{ \"members\": 1,\n  \"member\": 2 }", "member is an unknown key: did you mean members?")]
    [InlineData("{ \"members\": ten }", "The spec is not JSON at line 1, byte 15: 'ten }' is an invalid JSON literal. Expected the literal 'true'.")]
    [InlineData("", "The spec is empty: {} is the spec that leaves every key at its default.")]
    public async Task An_error_in_a_spec_file_names_the_file(string spec, string error)
    {
        var path = _driver.File("spec.json", spec);
        (await _driver.RunAsync("train", path)).Refused(2, $"{path}: {error}");
        Assert.Empty(_driver.Runs);
    }

    [Fact]
    public async Task Data_in_the_place_of_a_spec_is_said_to_be_data()
    {
        var (table, folder) = (_driver.File("rows.csv", "x,y\n1,2\n"), Path.GetDirectoryName(_driver.RunsFolder));
        (await _driver.RunAsync("train", table)).Refused(2, $"Spec {table} is a table: it must be a JSON file. (A table is trained on by --dataset {table}.)");
        (await _driver.RunAsync("train", folder!)).Refused(2, $"Spec {folder} is a folder: it must be a JSON file. (A folder of images is trained on by --dataset {folder}.)");
    }

    [Fact]
    public async Task A_spec_file_that_never_ends_is_not_read_to_its_end()
    {
        Assert.SkipUnless(File.Exists("/dev/zero"), "There is no /dev/zero.");
        (await _driver.RunAsync("train", "/dev/zero")).Refused(2,
            "Spec /dev/zero is longer than 1,048,576 characters: it must be a JSON file with the keys that `ensemble spec` explains.");
    }

    [Theory]
    [InlineData("x,y,label\n1,2,a\n3,b\n", "", ", line 3, column 3 (\"label\"): the row ends after 2 cells, and the first has 3.")]
    [InlineData("1,2,3\n4,5,6\n", "", " has 2 rows: at least 20 are needed.")]
    [InlineData("", "", " is empty: a table has rows, and in its first line the names of its columns.")]
    [InlineData("x,y\n1,2\n", "--target z", " has no column \"z\" to be the target: it has \"x\", \"y\".")]
    [InlineData("x,y\n1,2\n", "--ignore x,x", ": --ignore names the column \"x\" twice. Once is enough.")]
    [InlineData("x,y\n1,2\n", "--ignore x --categorical x", ": the column \"x\" is one of --ignore and one of --categorical. A column that is left out is of no kind: name it in one of them.")]
    [InlineData("x,y\n1,2\n", "", " has 1 row: at least 20 are needed.")]
    [InlineData("x,x,y\n1,2,1\n3,4,2\n", "", ", line 1: columns 1 and 2 are both named \"x\". Rename one of them, or say --header no if these are no names.")]
    public async Task A_csv_file_that_breaks_a_rule_is_refused_with_line_and_column(string csv, string options, string error)
    {
        var path = _driver.File("rows.csv", csv);
        (await _driver.RunAsync(["train", "--dataset", path, .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)])).Refused(2, path + error);
        Assert.Empty(_driver.Runs);
    }

    [Fact]
    public async Task Idx_files_that_are_cut_or_of_another_kind_are_named()
    {
        var folder = _driver.Place("idx");
        Directory.CreateDirectory(folder);
        foreach (var part in new[] { "train", "t10k" })
        {
            File.WriteAllBytes(Path.Combine(folder, $"{part}-images-idx3-ubyte"), [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28, .. new byte[783]]);
            File.WriteAllBytes(Path.Combine(folder, $"{part}-labels-idx1-ubyte"), [0, 0, 8, 1, 0, 0, 0, 1, 3]);
        }
        var images = Path.Combine(folder, "train-images-idx3-ubyte");

        (await _driver.RunAsync("train", "--dataset", "fashion-mnist", "--data", folder))
            .Refused(2, $"{images} is cut short: it has 783 of 784 values.");
        File.WriteAllBytes(images, [0, 0, 8, 1, .. new byte[12]]);
        (await _driver.RunAsync("train", "--dataset", "fashion-mnist", "--data", folder))
            .Refused(2, $"{images} is not an IDX file of 3 dimensions of bytes: its magic number is 00000801, not 00000803.");
        Assert.Empty(_driver.Runs);
    }

    [Fact]
    public async Task A_name_that_is_taken_leaves_the_run_alone()
    {
        (await _driver.RunAsync("train", "--name", "taken", "--members", "1", "--epochs", "1", "--set", "model.hidden=[8]")).Succeeded();
        var before = Contents();

        (await _driver.RunAsync("train", "--name", "taken")).Refused(2,
            $"Run \"taken\" already exists in {_driver.RunsFolder}. Resume it with `ensemble resume taken`, or choose another --name.");

        Assert.Equal(before, Contents());
    }

    public void Dispose() => _driver.Dispose();

    private Dictionary<string, string> Contents() => Directory.EnumerateFiles(_driver.RunsFolder, "*", SearchOption.AllDirectories)
        .ToDictionary(path => path, path => Convert.ToBase64String(File.ReadAllBytes(path)));
}
