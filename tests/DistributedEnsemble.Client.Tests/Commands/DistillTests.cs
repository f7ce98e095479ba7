using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using DistributedEnsemble.Reports;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Safetensors;

namespace DistributedEnsemble.Client.Tests.Commands;

public sealed class DistillTests : IDisposable
{
    /// <summary>Of a student that learns of the training rows and no others, from random weights.</summary>
    private static readonly string[] s_dataAlone = ["--set", "distillation.mixed=0", "--set", "distillation.validation=false", "--set", "distillation.warm=false"];

    private readonly TestDriver _driver = new();

    [Theory]
    [InlineData("amount")]
    [InlineData("size")]
    public async Task A_student_names_its_teachers_weights_and_is_measured_beside_it(string target)
    {
        var teacher = await TrainAsync("teacher", "--target", target);

        var json = (await _driver.RunAsync("distill", "teacher", "--set", "model.hidden=[9]", "--json")).Succeeded().Json;

        Assert.Equal("teacher-student", json.GetProperty("run").GetString());
        var spec = JsonElement.Parse(File.ReadAllText(Path.Combine(_driver.RunsFolder, "teacher-student", "spec.json"))).GetProperty("distillation");
        Assert.Equal(
            teacher.GetProperty("weights").EnumerateArray().Select(weights => weights.GetProperty("sha256").GetString()),
            spec.GetProperty("weights").EnumerateArray().Select(sha256 => sha256.GetString()));
        var measured = json.GetProperty("teacher");
        Assert.Equal("teacher", measured.GetProperty("run").GetString());
        Assert.Equal(teacher.GetProperty("ensemble").GetRawText(), measured.GetProperty("ensemble").GetRawText());
        Assert.Equal(teacher.GetProperty("single").GetProperty("mean").GetRawText(), measured.GetProperty("single").GetRawText());
        var evaluated = (await _driver.RunAsync("evaluate", "teacher-student")).Succeeded().Out;
        foreach (var row in new[] { "teacher teacher, ensemble of 3", "teacher's mean member", "kept of the teacher's gain" }) Assert.Contains(row, evaluated, StringComparison.Ordinal);

        (await _driver.RunAsync("report", "teacher-student")).Succeeded();
        var page = WebUtility.HtmlDecode(File.ReadAllText(Path.Combine(_driver.RunsFolder, "teacher-student", "report", "index.html")));
        var said = MeasureWords.Value("nll", measured.GetProperty("ensemble").GetProperty("nll").GetDouble());
        Assert.Matches($"<td>teacher teacher, ensemble of 3</td>.*<td>{Regex.Escape(said)}</td>", page);
        foreach (var part in new[] { "1 member on ", "1 model of 1 member;", "teacher’s mean member", "kept of the teacher’s gain", "what the run teacher answers", "the run teacher must lie in the same folder" }) Assert.Contains(part, page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_student_is_shown_while_it_learns_as_every_run_is()
    {
        await TrainAsync("teacher");

        var outcome = (await _driver.RunAsync("distill", "teacher", "--quiet", "--tensorboard")).Succeeded();

        Assert.DoesNotContain("member 0", outcome.Out + outcome.Error, StringComparison.Ordinal);
        Assert.NotEmpty(Directory.EnumerateFiles(Path.Combine(_driver.RunsFolder, "teacher-student"), "*tfevents*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_student_that_learns_of_the_labels_alone_is_the_member_that_it_would_be()
    {
        await TrainAsync("teacher");

        (await _driver.RunAsync(["distill", "teacher", "--set", "distillation.share=0", .. s_dataAlone, "--set", "training.epochs=5"])).Succeeded();

        Assert.Equal(Weights("teacher").First(), Assert.Single(Weights("teacher-student")));
        (await _driver.RunAsync("distill", "teacher", "--name", "listens")).Succeeded();
        Assert.NotEqual(Weights("teacher").First(), Assert.Single(Weights("listens")));
    }

    [Fact]
    public async Task Members_teach_rows_that_they_did_not_train_on_where_there_are_such()
    {
        await TrainAsync("teacher", "--set", "data.folds=3");

        (await _driver.RunAsync(["distill", "teacher", .. s_dataAlone])).Succeeded();

        using var file = SafetensorsReader.Open(Path.Combine(_driver.RunsFolder, "teacher-student", "distillation", "targets.safetensors"));
        var targets = new float[128 * 2];
        file.Read(Assert.Single(file.Tensors), System.Runtime.InteropServices.MemoryMarshal.AsBytes(targets.AsSpan()));
        // What each member says of its own fold's rows is one model's, not the average of three.
        var rows = File.ReadLines(_driver.Place("r.csv")).Skip(1).Where((_, row) => row % 5 != 4).ToArray();
        var input = _driver.File("rows.csv", $"size,days,colour,amount\n{string.Join('\n', rows)}\n");
        var average = (await _driver.RunAsync("predict", "teacher", "--input", input, "--json")).Succeeded().Json.GetProperty("rows").EnumerateArray()
            .Select(row => row.GetProperty("probabilities").EnumerateObject().First().Value.GetDouble()).ToArray();
        Assert.Equal(128, average.Length);
        Assert.All(Enumerable.Range(0, 128), row => Assert.Equal(1, targets[2 * row] + targets[2 * row + 1], 1e-5));
        Assert.True(Enumerable.Range(0, 128).Count(row => Math.Abs(targets[2 * row] - average[row]) > 1e-4) > 100);
    }

    /// <summary>Whose variance in the mixture would be many times the others'.</summary>
    [Fact]
    public async Task Where_validation_rows_say_so_a_member_that_is_unsure_counts_little()
    {
        var data = await TrainUnsureTeacherAsync();

        (await _driver.RunAsync(["distill", "teacher", .. s_dataAlone, "--set", "training.epochs=1"])).Succeeded();

        var input = _driver.File("rows.csv", $"x\n{string.Join('\n', File.ReadLines(data).Skip(1).Where((_, row) => row % 5 != 4).Select(row => row.Split(',')[0]))}\n");
        var deviation = Description("teacher").GetProperty("task").GetProperty("deviation").GetDouble();
        var mixture = (await _driver.RunAsync("predict", "teacher", "--input", input, "--json")).Succeeded().Json.GetProperty("rows").EnumerateArray()
            .Select(row => Math.Pow(row.GetProperty("standardDeviation").GetDouble() / deviation, 2)).ToArray();
        Assert.Equal(160, mixture.Length);
        Assert.All(mixture.Zip(Targets("teacher-student")), row => Assert.True(row.Second.Variance < 0.5 * row.First));
    }

    /// <summary>It measures on too few rows to choose the product, so that its students are as former programs began them.</summary>
    [Fact]
    public async Task A_student_of_the_moments_stays_one_where_the_product_would_be_chosen_now()
    {
        await TrainUnsureTeacherAsync();
        var spec = Path.Combine(_driver.RunsFolder, "teacher", "spec.json");
        var text = File.ReadAllText(spec);
        File.WriteAllText(spec, Regex.Replace(text, "\"validationFraction\": *0.3", "\"validationFraction\": 0.1"));
        Assert.NotEqual(text, File.ReadAllText(spec));
        string[] student = ["distill", "teacher", .. s_dataAlone, "--set", "training.epochs=1", "--set", "data.validationFraction=0.3"];
        (await _driver.RunAsync([.. student, "--name", "former"])).Succeeded();
        File.WriteAllText(spec, text);
        (await _driver.RunAsync([.. student, "--name", "present"])).Succeeded();
        var (former, present) = (Targets("former"), Targets("present"));
        Assert.All(former.Zip(present), row => Assert.True(row.Second.Variance < row.First.Variance));

        File.Delete(Path.Combine(_driver.RunsFolder, "former", "distillation", "targets.safetensors"));
        (await _driver.RunAsync("verify", "former")).Succeeded();

        Assert.Equal(former, Targets("former"));
    }

    /// <summary>Out of fold, they are rows that only some of the members did not train on.</summary>
    [Theory]
    [InlineData("data.validationFraction=0.25")]
    [InlineData("data.folds=3")]
    public async Task Validation_rows_are_learned_as_the_teacher_predicts_them(string setting)
    {
        await TrainAsync("teacher", "--set", setting);
        var rows = _driver.File("further.csv", "size,days,colour\n1,2,red\n5,6,blue\n");

        (await _driver.RunAsync("distill", "teacher", "--name", "both", "--set", "distillation.mixed=0", "--unlabelled", rows)).Succeeded();
        (await _driver.RunAsync(["distill", "teacher", "--name", "neither", .. s_dataAlone])).Succeeded();

        var (both, neither) = (Targets("both"), Targets("neither"));
        var validation = JsonElement.Parse(Splits("both")).GetProperty("validation").GetInt32();
        Assert.InRange(validation, 10, 34);
        Assert.Equal((128, 128 + 2 + validation), (neither.Length, both.Length));
        Assert.Equal(neither, both[..128]);
        // Each row's own prediction, behind the two of the table.
        Assert.All(both[130..], said => Assert.Contains(said, neither));
        Assert.NotEqual(Weights("both"), Weights("neither"));
    }

    /// <summary>Other rows train them, whose means and levels are others; the teacher's models know its own alone.</summary>
    [Theory]
    [InlineData("seed=9")]
    [InlineData("data.validationFraction=0.5")]
    [InlineData("data.folds=3")]
    public async Task A_student_of_other_rows_reads_its_data_as_its_teacher_does(string setting)
    {
        var teacher = await TrainAsync("teacher");

        var json = (await _driver.RunAsync("distill", "teacher", "--set", setting, "--json")).Succeeded().Json;

        Assert.Equal(Description("teacher").GetProperty("table").GetRawText(), Description("teacher-student").GetProperty("table").GetRawText());
        Assert.Equal(teacher.GetProperty("ensemble").GetProperty("nll").GetDouble(), json.GetProperty("teacher").GetProperty("ensemble").GetProperty("nll").GetDouble(), 1e-4);
    }

    /// <summary>In which the teacher's members do not see all rows.</summary>
    [Fact]
    public async Task A_student_learns_a_number_in_the_units_of_its_run()
    {
        var teacher = await TrainAsync("teacher", "--target", "size", "--set", "data.folds=3");

        var json = (await _driver.RunAsync(["distill", "teacher", .. s_dataAlone, "--json"])).Succeeded().Json;

        var data = Description("teacher-student").GetProperty("task");
        double mean = data.GetProperty("mean").GetDouble(), deviation = data.GetProperty("deviation").GetDouble();
        using var file = SafetensorsReader.Open(Path.Combine(_driver.RunsFolder, "teacher-student", "distillation", "targets.safetensors"));
        var targets = new float[128 * 2];
        file.Read(Assert.Single(file.Tensors), System.Runtime.InteropServices.MemoryMarshal.AsBytes(targets.AsSpan()));
        var said = (await _driver.RunAsync("predict", "teacher", "--out-of-fold", "--json")).Succeeded().Json.GetProperty("rows").EnumerateArray().ToArray();
        Assert.Equal(128, said.Length);
        for (var row = 0; row < 128; row++)
        {
            Assert.Equal(said[row].GetProperty("mean").GetDouble(), mean + (deviation * targets[2 * row]), 1e-3);
            Assert.Equal(said[row].GetProperty("standardDeviation").GetDouble(), deviation * Math.Sqrt(targets[(2 * row) + 1]), 1e-3);
        }

        foreach (var measure in new[] { "rmse", "nll" })
            Assert.Equal(teacher.GetProperty("ensemble").GetProperty(measure).GetDouble(), json.GetProperty("teacher").GetProperty("ensemble").GetProperty(measure).GetDouble(), 1e-4);
    }

    [Fact]
    public async Task Students_go_on_from_the_teachers_models_the_best_first_and_those_of_another_network_begin_at_random()
    {
        await TrainAsync("teacher", "--epochs", "15");

        (await _driver.RunAsync("distill", "teacher", "--members", "2", "--name", "two")).Succeeded();
        (await _driver.RunAsync("distill", "teacher", "--name", "other", "--set", "model.hidden=[9]")).Succeeded();

        // Every third member is a tabm.
        var measured = JsonElement.Parse(File.ReadAllText(Assert.Single(Directory.GetFiles(Path.Combine(_driver.RunsFolder, "teacher", "validation"))))).GetProperty("constituents").EnumerateArray().Take(2).ToArray();
        var best = measured.OrderBy(one => one.GetProperty("nll").GetDouble()).Select(one => one.GetProperty("model").GetProperty("file").GetString()!);
        Assert.Equal(best.Select(file => Numbers(Path.Combine(_driver.RunsFolder, "teacher", file), _ => true)).Aggregate((one, other) => [.. one, .. other]), Numbers(Kept("two"), name => name == "start"));
        Assert.Empty(Numbers(Kept("other"), name => name == "start"));
        Assert.Equal((15, 30), (Epochs("two"), Epochs("other")));
        Assert.Equal((1, 4.0), (Distillation("two").GetProperty("share").GetDouble(), Distillation("two").GetProperty("mixed").GetDouble()));

        string Kept(string run) => Path.Combine(_driver.RunsFolder, run, "distillation", "targets.safetensors");

        int Epochs(string run) => JsonElement.Parse(File.ReadAllText(Path.Combine(_driver.RunsFolder, run, "spec.json"))).GetProperty("training").GetProperty("epochs").GetInt32();

        static float[] Numbers(string path, Func<string, bool> chosen)
        {
            using var file = SafetensorsReader.Open(path);
            return [.. file.Tensors.Where(tensor => chosen(tensor.Name)).SelectMany(tensor =>
            {
                var values = new float[tensor.ByteCount / sizeof(float)];
                file.Read(tensor, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()));
                return values;
            })];
        }
    }

    [Fact]
    public async Task The_same_student_again_is_byte_identical_and_needs_no_file_of_the_first()
    {
        await TrainAsync("teacher");
        (await _driver.RunAsync("distill", "teacher", "--name", "one")).Succeeded();
        var spec = _driver.File("again.json", (await _driver.RunAsync("spec", "one")).Succeeded().Out.Replace("\"one\"", "\"two\"", StringComparison.Ordinal));

        (await _driver.RunAsync("train", spec)).Succeeded();

        Assert.Equal(Weights("one"), Weights("two"));
    }

    /// <summary>Another seed splits other rows off, by which a number's target has another mean.</summary>
    [Theory]
    [InlineData("amount")]
    [InlineData("size")]
    public async Task A_teacher_that_is_missing_or_has_changed_is_refused_by_name(string target)
    {
        await TrainAsync("teacher", "--target", target);
        (await _driver.RunAsync("distill", "teacher", "--name", "one")).Succeeded();
        var spec = _driver.File("again.json", (await _driver.RunAsync("spec", "one")).Succeeded().Out.Replace("\"one\"", "\"two\"", StringComparison.Ordinal));
        (await _driver.RunAsync("delete", "teacher", "--yes")).Succeeded();
        (await _driver.RunAsync("train", spec)).Refused(2, $"distillation.teacher is \"teacher\": there is no such run in {Path.GetFullPath(_driver.RunsFolder)}.");

        await TrainAsync("teacher", "--target", target, "--seed", "5");

        (await _driver.RunAsync("train", spec)).Refused(2,
            "distillation.teacher is \"teacher\": its models are others than distillation.weights says (bring the old run back, or begin a new student).");
        Assert.DoesNotContain("two", _driver.Runs);
        // It is measured alone.
        Assert.DoesNotContain("teacher", (await _driver.RunAsync("evaluate", "one", "--json")).Succeeded().Json.EnumerateObject().Select(property => property.Name));
    }

    [Fact]
    public async Task Further_rows_are_learned_of_the_teacher_alone_and_named_by_their_hash()
    {
        await TrainAsync("teacher");
        var rows = _driver.File("further.csv", "colour,days,extra,size\nred,3,x,9\n,4,y,\nblue,,z,2\n");
        (await _driver.RunAsync(["distill", "teacher", "--name", "listens", "--unlabelled", rows, .. s_dataAlone])).Succeeded();

        var spec = Distillation("listens");
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(rows))), spec.GetProperty("unlabelledSha256").GetString());
        Assert.Equal(3, spec.GetProperty("unlabelledRows").GetInt32());
        using var file = SafetensorsReader.Open(Path.Combine(_driver.RunsFolder, "listens", "distillation", "targets.safetensors"));
        Assert.Equal([[131, 2], [3, file.Tensors[1].Shape[1]]], file.Tensors.Select(tensor => tensor.Shape.ToArray()));
        var targets = new float[131 * 2];
        file.Read(file.Tensors[0], System.Runtime.InteropServices.MemoryMarshal.AsBytes(targets.AsSpan()));
        var predicted = (await _driver.RunAsync("predict", "teacher", "--input", rows, "--json")).Succeeded().Json.GetProperty("rows").EnumerateArray()
            .Select(row => row.GetProperty("probabilities").EnumerateObject().First().Value.GetDouble());
        Assert.Equal(predicted, targets[256..].Where((_, i) => i % 2 == 0).Select(p => (double)p), (a, b) => Math.Abs(a - b) < 1e-5);

        // They are no labels, so that they are learned whatever the labels count.
        (await _driver.RunAsync(["distill", "teacher", "--name", "labels", "--set", "distillation.share=0", .. s_dataAlone])).Succeeded();
        (await _driver.RunAsync(["distill", "teacher", "--name", "both", "--set", "distillation.share=0", .. s_dataAlone, "--unlabelled", rows])).Succeeded();
        Assert.NotEqual(Weights("labels"), Weights("both"));
        // What measures is as it was.
        var (one, other) = ((await _driver.RunAsync("spec", "labels")).Succeeded().Out, (await _driver.RunAsync("spec", "both")).Succeeded().Out);
        Assert.NotEqual(one, other);
        Assert.Equal(Splits("labels"), Splits("both"));
    }

    [Fact]
    public async Task A_student_of_further_rows_again_is_byte_identical_and_refused_when_they_are_gone_or_have_changed()
    {
        await TrainAsync("teacher");
        var rows = _driver.File("further.csv", "size,days,colour\n1,2,red\n5,6,blue\n");
        (await _driver.RunAsync("distill", "teacher", "--name", "one", "--unlabelled", rows, "--set", "distillation.mixed=0.25")).Succeeded();
        var spec = (await _driver.RunAsync("spec", "one")).Succeeded().Out;
        (await _driver.RunAsync("train", _driver.File("again.json", spec.Replace("\"one\"", "\"two\"", StringComparison.Ordinal)))).Succeeded();
        Assert.Equal(Weights("one"), Weights("two"));
        var third = _driver.File("third.json", spec.Replace("\"one\"", "\"three\"", StringComparison.Ordinal));
        var before = Distillation("one").GetProperty("unlabelledSha256").GetString();

        File.AppendAllText(rows, "7,8,red\n");
        var after = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(rows)));
        (await _driver.RunAsync("train", third)).Refused(2,
            $"distillation.unlabelled is \"{rows}\": its SHA-256 is {after}, and distillation.unlabelledSha256 is {before} (bring the old file back, or begin a new student).");
        // What a run keeps of them is enough to train it again.
        (await _driver.RunAsync("verify", "one")).Succeeded();
        File.Delete(rows);
        (await _driver.RunAsync("train", third)).Refused(2, $"{rows} was not found: looked for {rows}. If it lies in another folder DIR, make DIR the data folder.");
        (await _driver.RunAsync("verify", "one")).Succeeded();

        var kept = Path.Combine(_driver.RunsFolder, "one", "distillation", "targets.safetensors");
        File.Delete(kept);
        (await _driver.RunAsync("verify", "one")).Refused(2,
            $"{kept} is missing or damaged, and cannot be made again: {rows} was not found: looked for {rows}. If it lies in another folder DIR, add --data DIR.");
        Assert.Equal(["one", "teacher", "two"], _driver.Runs.Order());
    }

    [Theory]
    [InlineData("size,colour\n1,red\n", "PATH lacks the column \"days\", which the run was trained with. Add it, with empty cells where it is unknown.")]
    [InlineData("size,days,colour\n", "PATH has no rows: --unlabelled takes a table of at least one.")]
    public async Task Further_rows_without_the_columns_of_the_data_are_refused(string table, string reason)
    {
        await TrainAsync("teacher");
        var rows = _driver.File("further.csv", table);

        (await _driver.RunAsync("distill", "teacher", "--unlabelled", rows)).Refused(2, reason.Replace("PATH", rows, StringComparison.Ordinal));

        Assert.Equal(["teacher"], _driver.Runs);
    }

    [Fact]
    public async Task Further_rows_in_a_folder_are_refused()
    {
        await TrainAsync("teacher");
        var folder = Directory.CreateDirectory(_driver.Place("rows")).FullName;

        (await _driver.RunAsync("distill", "teacher", "--unlabelled", folder)).Refused(2, $"{folder} is a folder: a table is a single file.");

        Assert.Equal(["teacher"], _driver.Runs);
    }

    [Fact]
    public async Task Mixed_rows_lie_between_training_rows_one_for_each_of_few_epochs_unless_told_otherwise()
    {
        await TrainAsync("teacher", "--set", "data.validationFraction=0.5");
        (await _driver.RunAsync("distill", "teacher", "--name", "plain")).Succeeded();
        (await _driver.RunAsync("distill", "teacher", "--name", "one", "--set", "distillation.mixed=1")).Succeeded();
        (await _driver.RunAsync("distill", "teacher", "--name", "mixed", "--set", "distillation.mixed=1.5")).Succeeded();

        Assert.Equal(Weights("plain"), Weights("one"));
        Assert.NotEqual(Weights("plain"), Weights("mixed"));
        using var file = SafetensorsReader.Open(Path.Combine(_driver.RunsFolder, "mixed", "distillation", "targets.safetensors"));
        // The half of the 128 rows that trains is rounded class by class.
        var mixed = Math.Round(1.5 * JsonElement.Parse(Splits("mixed")).GetProperty("train").GetInt32());
        Assert.InRange(mixed, 90, 100);
        var validation = JsonElement.Parse(Splits("mixed")).GetProperty("validation").GetInt32();
        Assert.Equal(128 + validation + mixed, file.Tensors[0].Shape[0]);
        Assert.Equal(validation + mixed, file.Tensors[1].Shape[0]);
        (await _driver.RunAsync("distill", "teacher", "--set", "distillation.mixed=1", "--set", "data.folds=2", "--set", "members=2")).Refused(2,
            "distillation.mixed is 1: mixed rows lie between training rows, and with data.folds or data.bootstrap these measure members that must not have seen them (leave one of the two out).");
    }

    [Theory]
    [InlineData("--set", "data.ignore=[\"colour\"]", "it was trained on other columns than the student's (leave data.ignore and the others of data as they were)")]
    [InlineData("--set", "data.target=size", "it predicts another target, or other classes")]
    [InlineData("--set", "data.dataset=OTHER", "it was trained on other data (r.csv), and a student learns its predictions row by row")]
    public async Task A_student_of_other_data_is_refused(string option, string value, string reason)
    {
        await TrainAsync("teacher");
        var other = _driver.File("other.csv", File.ReadAllText(_driver.Place("r.csv")) + "\n3,3,red,few\n");

        (await _driver.RunAsync("distill", "teacher", option, value.Replace("OTHER", other, StringComparison.Ordinal))).Refused(2, $"distillation.teacher is \"teacher\": {reason}.");

        Assert.Equal(["teacher"], _driver.Runs);
    }

    [Fact]
    public async Task A_run_that_has_not_ended_teaches_nobody_and_nobody_learns_of_no_run()
    {
        await TrainAsync("teacher");
        var status = Path.Combine(_driver.RunsFolder, "teacher", RunFolder.StatusFile);
        var text = File.ReadAllText(status);
        var state = text.IndexOf("completed", StringComparison.Ordinal);
        File.WriteAllText(status, $"{text[..state]}paused{text[(state + "completed".Length)..]}");

        (await _driver.RunAsync("distill", "teacher")).Refused(2, "distillation.teacher is \"teacher\": it is paused, and a teacher's training must have ended.");
        (await _driver.RunAsync("distill", "teacher", "--set", "distillation=null")).Refused(2, "distillation is null: a student learns of its teacher. Leave the key out.");
        (await _driver.RunAsync("distill", "nobody")).Refused(2, $"Run \"nobody\" does not exist in {_driver.RunsFolder}. `ensemble list --runs {_driver.RunsFolder}` shows those that do.");
    }

    public void Dispose() => _driver.Dispose();

    /// <summary>Of three members one has hardly begun to learn.</summary>
    /// <returns>The path of the data.</returns>
    private async Task<string> TrainUnsureTeacherAsync()
    {
        var data = _driver.File("line.csv", $"x,y\n{string.Join('\n', Enumerable.Range(0, 200).Select(i => FormattableString.Invariant($"{i * 7 % 200},{(i * 7 % 200) + (i % 3)}")))}\n");
        var spec = _driver.File("spec.json",
            """{ "members": 3, "variants": [{ "training": { "epochs": 60 } }, { "training": { "epochs": 60 } }, { "training": { "epochs": 1, "schedule": { "learningRate": 1e-7 } } }] }""");
        (await _driver.RunAsync("train", spec, "--name", "teacher", "--dataset", data, "--target", "y", "--task", "regression", "--set", "data.validationFraction=0.3")).Succeeded();
        return data;
    }

    /// <summary>Of a regression a mean and a variance; of two classes their probabilities.</summary>
    private (float Mean, float Variance)[] Targets(string run)
    {
        using var file = SafetensorsReader.Open(Path.Combine(_driver.RunsFolder, run, "distillation", "targets.safetensors"));
        var values = new float[file.Tensors[0].Shape[0] * 2];
        file.Read(file.Tensors[0], System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()));
        return [.. values.Chunk(2).Select(pair => (pair[0], pair[1]))];
    }

    private JsonElement Description(string run) => JsonElement.Parse(File.ReadAllText(Path.Combine(_driver.RunsFolder, run, "data.json")));

    private string[] Weights(string run) => [.. RunStatusJson.FromJson(File.ReadAllText(Path.Combine(_driver.RunsFolder, run, RunFolder.StatusFile))).Snapshots.Select(file => file.Sha256)];

    private JsonElement Distillation(string run) => JsonElement.Parse(File.ReadAllText(Path.Combine(_driver.RunsFolder, run, "spec.json"))).GetProperty("distillation");

    private string Splits(string run) => JsonElement.Parse(File.ReadAllText(Path.Combine(_driver.RunsFolder, run, "data.json"))).GetProperty("splits").GetRawText();

    private async Task<JsonElement> TrainAsync(string name, params string[] more)
    {
        string[] colours = ["red", "blue", "", "green"];
        var lines = Enumerable.Range(0, 160).Select(i => $"{i * 7 % 31 / 2.0},{i % 11},{colours[i * 3 % 4]},{(i * 7 % 31 > 15 ? "many" : "few")}");
        var data = _driver.File("r.csv", $"size,days,colour,amount\n{string.Join('\n', lines)}\n");
        return (await _driver.RunAsync(["train", "--dataset", data, "--name", name, "--members", "3", .. more.Contains("--epochs") ? (string[])[] : ["--epochs", "5"], "--json", .. more.Contains("--target") ? more : ["--target", "amount", .. more]])).Succeeded().Json;
    }
}
