using System.CommandLine;
using System.Text.Json;
using DistributedEnsemble.Benchmarks;
using DistributedEnsemble.Benchmarks.Distillation;
using DistributedEnsemble.Benchmarks.Dropouts;
using DistributedEnsemble.Benchmarks.Endurance;
using DistributedEnsemble.Benchmarks.History;
using DistributedEnsemble.Benchmarks.Memory;
using DistributedEnsemble.Benchmarks.Own;
using DistributedEnsemble.Benchmarks.Recovery;
using DistributedEnsemble.Benchmarks.Regression;
using DistributedEnsemble.Benchmarks.Scaling;
using DistributedEnsemble.Benchmarks.Serving;
using DistributedEnsemble.Benchmarks.Steps;
using DistributedEnsemble.Benchmarks.Tables;
using DistributedEnsemble.Reports.Experiments;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;

var output = new Option<FileInfo?>("--output") { Description = "A JSON file to write the result to.", Recursive = true };
var data = new Option<string?>("--data") { Description = "The folder of the datasets.", Recursive = true };
var rounds = new Option<int>("--rounds") { Description = "How often each variant is measured.", DefaultValueFactory = _ => 9 };
var epochs = new Option<int>("--epochs") { Description = "Epochs of a member in a round.", DefaultValueFactory = _ => 2 };
var only = new Option<string[]>("--only") { Description = "Variants to measure; all without it.", AllowMultipleArgumentsPerToken = true };
var count = new Argument<int>("members");

var step = new Command("step", "Member-steps per second: this library beside loops written the usual way.") { rounds, epochs, only };
step.SetAction(async (parsed, _) => Report.Write(
    await new StepBenchmark(parsed.GetValue(data), parsed.GetValue(rounds), parsed.GetValue(epochs), parsed.GetValue(only) ?? []).RunAsync(),
    args, parsed.GetValue(output)));

var networks = new Command("networks", "A step of each kind of network, by kernels of our own and by libtorch.") { rounds, only };
networks.SetAction((parsed, _) =>
{
    Report.Write(
        new NetworkBenchmark(parsed.GetValue(data), parsed.GetValue(rounds), parsed.GetValue(only) ?? []).Run(), args, parsed.GetValue(output));
    return Task.CompletedTask;
});

var layers = new Command("layers", "Where a step of the digits' lenet goes: microseconds of each layer.") { rounds };
layers.SetAction((parsed, _) =>
{
    var spec = SpecDocument.Parse("""{ "model": { "kind": "lenet" }, "training": { "batchSize": 32 }, "regularization": { "dropout": null } }""").Resolve();
    var plan = new TrainingPlan(spec, new Digits().Load(new DataFolders()), new NetworkRegistry());
    Report.Write(new { Benchmark = "layers", Work = "lenet of digits, batch 32", Results = new LayerBenchmark(plan, parsed.GetValue(rounds)).Measure() }, args, parsed.GetValue(output));
    return Task.CompletedTask;
});

var memory = new Command("memory", "Bytes beyond data and libraries by the number of members.");
memory.SetAction(async (parsed, _) => Report.Write(await MemoryBenchmark.RunAsync(parsed.GetValue(data)), args, parsed.GetValue(output)));

var memoryOf = new Command(MemoryBenchmark.OfMembers, "One measurement of `memory`, in a process of its own.") { count };
memoryOf.Hidden = true;
memoryOf.SetAction(async (parsed, _) => Console.WriteLine(await MemoryBenchmark.MeasureAsync(parsed.GetValue(count), parsed.GetValue(data))));

var seconds = new Option<double>("--seconds") { Description = "How long each measurement lasts.", DefaultValueFactory = _ => 1 };
var serving = new Command("serving", "Requests per second and latency of ten models served, beside their bare forward passes.") { rounds, seconds };
serving.SetAction(async (parsed, _) => Report.Write(
    await new ServingBenchmark(parsed.GetValue(data), parsed.GetValue(rounds), parsed.GetValue(seconds)).RunAsync(), args, parsed.GetValue(output)));

var minutes = new Option<double>("--minutes") { Description = "How long requests come.", DefaultValueFactory = _ => 10 };
var share = new Option<double>("--share") { Description = "Of what the cluster can answer.", DefaultValueFactory = _ => 0.8 };
var endurance = new Command("endurance", "A cluster of processes under load while one of its silos is killed.") { minutes, share };
endurance.SetAction(async (parsed, _) => Report.Write(
    await new EnduranceBenchmark(parsed.GetValue(data), parsed.GetValue(minutes), parsed.GetValue(share)).RunAsync(), args, parsed.GetValue(output)));

var former = new Option<DirectoryInfo?>("--former") { Description = "A checkout of the program before it had kernels of its own, whose driver is built (-c Release)." };
var python = new Option<string>("--python") { Description = "A Python with scikit-learn, PyTorch or both.", DefaultValueFactory = _ => "python3" };
var goalsPage = new Option<FileInfo?>("--page") { Description = "A Markdown file to write the goals to." };
var own = new Command("own", "What kernels of our own are to reach: every goal, what was measured, and whether it is met.") { rounds, only, former, python, goalsPage };
own.SetAction(async (parsed, _) =>
{
    var (file, outputFile) = (OwnFile.Read(parsed.GetValue(output)), parsed.GetValue(output));
    var benchmark = new OwnBenchmark(
        parsed.GetValue(data), parsed.GetValue(rounds), parsed.GetValue(only) ?? [], parsed.GetValue(former)?.FullName, parsed.GetValue(python)!);
    await benchmark.RunAsync(Report.Origin(args), (name, part) =>
    {
        file.Set(name, part);
        if (outputFile is not null) File.WriteAllText(outputFile.FullName, file.ToJson());
        if (parsed.GetValue(goalsPage) is { } page) File.WriteAllText(page.FullName, OwnPage.Of(file, outputFile?.Name ?? "no file", OwnPage.Command(page, outputFile)));
    });
    Console.Write(file.ToJson());
});

var stepsOfLibrary = new Command(StepRate.Command, "Steps a second of the library alone.");
stepsOfLibrary.Hidden = true;
stepsOfLibrary.SetAction(parsed => Console.WriteLine(StepRate.Measure(parsed.GetValue(data)).ToString(System.Globalization.CultureInfo.InvariantCulture)));

var folder = new Argument<string>("folder") { Description = "The folder with NAME.csv and NAME-splits.txt of concrete, energy, yacht and wine." };
var rate = new Option<double>("--rate") { Description = "The learning rate.", DefaultValueFactory = _ => 0.01 };
var docs = new Option<string?>("--docs") { Description = "The folder of the documentation, whose table is written anew." };
var regression = new Command("uci", "Regression at the protocol of Lakshminarayanan et al., 2017, table 1.") { folder, rate, docs };
regression.SetAction(async (parsed, _) =>
{
    var command = $"dotnet run -c Release --project tests/DistributedEnsemble.Benchmarks -- uci FOLDER --rate {parsed.GetValue(rate)}";
    var results = await RegressionBenchmark.RunAsync(parsed.GetRequiredValue(folder), parsed.GetValue(rate), command);
    Console.Write(results.ToJson());
    if (parsed.GetValue(docs) is not { } place) return;
    File.WriteAllText(Path.Combine(place, "experiments", RegressionResults.File), results.ToJson());
    var page = ExperimentResults.FromJson(File.ReadAllText(Path.Combine(place, "experiments", ExperimentFiles.Data)));
    ExperimentFiles.WritePage(page, place, "experiments");
});

var dropoutSeeds = new Option<int>("--seeds") { Description = "Of each kind of dropout.", DefaultValueFactory = _ => 4 };
var network = new Option<string>("--network") { Description = "lenet or resnet.", DefaultValueFactory = _ => "lenet" };
network.AcceptOnlyFromAmong("lenet", "resnet");
var parts = new Option<FileInfo?>("--parts") { Description = "A file that gets a line for each seed: those that it has are not measured again." };
var dropout = new Command("dropout", "Dropout of channels and repeated batches beside dropout of dense layers.") { network, dropoutSeeds, parts, docs };
dropout.SetAction((parsed, _) =>
{
    var (benchmark, file) = (new DropoutBenchmark(parsed.GetValue(network)!), parsed.GetValue(parts)?.FullName);
    var measured = !File.Exists(file) ? [] : File.ReadLines(file).Select(line => JsonSerializer.Deserialize<DropoutSeed>(line)!).ToList();
    foreach (var seed in Enumerable.Range(1, parsed.GetValue(dropoutSeeds)).Except(measured.Select(part => part.Seed)).ToArray())
    {
        measured.Add(benchmark.Train(parsed.GetValue(data), seed));
        if (file is not null) File.AppendAllText(file, JsonSerializer.Serialize(measured[^1]) + "\n");
    }

    var results = benchmark.Results(measured, $"dotnet run -c Release --project tests/DistributedEnsemble.Benchmarks -- dropout --network {parsed.GetValue(network)} --seeds {measured.Count} --docs docs");
    Console.Write(results.ToJson());
    if (parsed.GetValue(docs) is not { } place) return Task.CompletedTask;
    File.WriteAllText(Path.Combine(place, "experiments", results.File), results.ToJson());
    ExperimentFiles.WritePage(ExperimentResults.FromJson(File.ReadAllText(Path.Combine(place, "experiments", ExperimentFiles.Data))), place, "experiments");
    return Task.CompletedTask;
});

var tableFolder = new Argument<string>("folder") { Description = "The tables, and tables.tsv." };
var page = new Option<FileInfo?>("--page") { Description = "A Markdown file to write the table to." };
var tableSeeds = new Option<int>("--seeds") { Description = "Of each table.", DefaultValueFactory = _ => 5 };
var keepsTables = new Option<bool>("--add") { Description = "Adds to what --output has: seeds that it has are not measured again." };
var tables = new Command("tables", "Accuracy and R² on public tables by the defaults, beside boosting, forests and linear models.") { tableFolder, tableSeeds, page, keepsTables, only };
tables.SetAction(async (parsed, _) =>
{
    var (file, order) = (TablesFile.Read(parsed.GetValue(output)), PublicTable.All(parsed.GetRequiredValue(tableFolder)).Select(table => table.Name).ToArray());
    await TableBenchmark.RunAsync(
        parsed.GetRequiredValue(tableFolder), parsed.GetValue(tableSeeds), parsed.GetValue(only) ?? [], Report.Origin(args),
        table => parsed.GetValue(keepsTables) ? file.Of(table) : [], result =>
        {
            if (result.Seeds.Count == parsed.GetValue(tableSeeds)) Console.WriteLine(JsonSerializer.Serialize(result, Report.Json));
            file.Set(result, order);
            Save();
        });
    Save();

    void Save()
    {
        if (parsed.GetValue(output) is { } data) File.WriteAllText(data.FullName, file.ToJson());
        if (parsed.GetValue(page) is { } text) File.WriteAllText(text.FullName, file.Page());
    }
});

var seeds = new Option<int>("--seeds") { Description = "Teachers and students of each data.", DefaultValueFactory = _ => 4 };
var settings = new Option<string[]>("--set") { Description = "Keys of the students' spec, to compare; nothing is written then.", HelpName = "key=value" };
var keepsSeeds = new Option<bool>("--add") { Description = "Adds to what --output has: seeds that it has are not measured again." };
var distillation = new Command("distillation", "What a student keeps of its teacher's gain over a single member.") { tableFolder, seeds, page, settings, keepsSeeds, only };
distillation.SetAction(async (parsed, _) =>
{
    var chosen = (parsed.GetValue(settings) ?? []).Select(SpecDocument.ParseSetting).ToArray();
    var file = DistillationFile.Read(parsed.GetValue(output));
    await DistillationBenchmark.RunAsync(
        parsed.GetRequiredValue(tableFolder), parsed.GetValue(seeds), parsed.GetValue(only) ?? [], chosen, Report.Origin(args),
        data => parsed.GetValue(keepsSeeds) ? file.Of(data) : [], result =>
        {
            if (result.Seeds.Count == parsed.GetValue(seeds)) Console.WriteLine(JsonSerializer.Serialize(result, Report.Json));
            file.Set(result);
            Save();
        });
    Save();

    void Save()
    {
        if (chosen.Length > 0) return;
        if (parsed.GetValue(output) is { } data) File.WriteAllText(data.FullName, file.ToJson());
        if (parsed.GetValue(page) is { } text) File.WriteAllText(text.FullName, file.Page());
    }
});

var candidates = new Option<FileInfo>("--candidates") { Description = "A file with a spec in each line, to lay over the defaults.", Required = true };
var folds = new Option<int>("--folds") { Description = "How many fifths of the training rows measure in turn.", DefaultValueFactory = _ => 1 };
var ensemble = new Option<int>("--members") { Description = "Members of each ensemble; 0 is as the spec says." };
var defaults = new Command("table-defaults", "Compares what tables could be trained with by default, on their training rows alone.") { tableFolder, candidates, folds, ensemble, only };
defaults.SetAction((parsed, _) =>
{
    var benchmark = new DefaultsBenchmark(parsed.GetRequiredValue(tableFolder), parsed.GetValue(only) ?? [], parsed.GetValue(folds), parsed.GetValue(ensemble));
    using var results = parsed.GetValue(output) is { } file ? file.AppendText() : Console.Out;
    benchmark.Run([.. File.ReadLines(parsed.GetRequiredValue(candidates).FullName).Where(line => line.Trim().Length > 0)], results);
    return Task.CompletedTask;
});

var choices = new Option<FileInfo>("--candidates") { Description = "A file with settings of a student in each line, parted by blanks; an empty line is the defaults.", Required = true };
var students = new Command("student-defaults", "Compares how students could be trained by default, on training rows alone.") { tableFolder, choices, folds, only };
students.SetAction(async (parsed, _) =>
{
    using var results = parsed.GetValue(output) is { } file ? file.AppendText() : Console.Out;
    await new StudentDefaultsBenchmark(parsed.GetRequiredValue(tableFolder), parsed.GetValue(only) ?? [], parsed.GetValue(folds))
        .RunAsync(File.ReadAllLines(parsed.GetRequiredValue(choices).FullName), results);
});

var keeps = new Option<bool>("--add") { Description = "Adds to what --output has: tables that are not measured now stay." };
var kinds = new Command("members", "Ten mlps, one tabm and five tabms, with and without vectors of numbers, on the training rows of public tables.") { tableFolder, folds, page, only, keeps };
kinds.SetAction(async (parsed, stopping) =>
{
    var results = MembersBenchmark.Run(parsed.GetRequiredValue(tableFolder), parsed.GetValue(only) ?? [], parsed.GetValue(folds));
    if (parsed.GetValue(keeps) && parsed.GetValue(output) is { Exists: true } former) results = results.With(former, parsed.GetRequiredValue(tableFolder));
    var left = PublicTable.All(parsed.GetRequiredValue(tableFolder)).Select(table => table.Name).Except(results.Select(result => result.Table)).ToArray();
    if (parsed.GetValue(page) is { } file) await File.WriteAllTextAsync(file.FullName, MembersBenchmark.Page(results, parsed.GetValue(folds), left), stopping);
    Report.Write(results, args, parsed.GetValue(output));
});

var memberCounts = new Option<int[]>("--members") { Description = "How many members, from the fewest.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [1000, 10_000] };
var siloCount = new Option<int>("--silos") { Description = "Silos in this process.", DefaultValueFactory = _ => 100 };
var snapshotCount = new Option<int>("--snapshots") { Description = "Of each member.", DefaultValueFactory = _ => 10 };
var scaling = new Command("scaling", "What coordinator, scheduler and store cost for each of thousands of members, without training.") { memberCounts, siloCount, snapshotCount };
scaling.SetAction(async (parsed, _) => Report.Write(
    await new ScalingBenchmark(parsed.GetValue(siloCount), parsed.GetValue(snapshotCount)).RunAsync(parsed.GetValue(memberCounts)!), args, parsed.GetValue(output)));

var kills = new Option<int>("--kills") { Description = "Silos that are killed, with free lanes and again with waiting ones.", DefaultValueFactory = _ => 300 };
var workMinutes = new Option<double>("--minutes") { Description = "How long the work of a cluster is measured, without kills and with them.", DefaultValueFactory = _ => 10 };
var adds = new Option<bool>("--add") { Description = "Adds to what --output has: its kills count, and parts that are not measured now stay." };
var recovery = new Command("recovery", "What it costs that a silo is killed: free, waiting, goodput, stalls.") { kills, workMinutes, adds, only };
recovery.SetAction(async (parsed, _) =>
{
    var file = parsed.GetValue(output);
    var done = file is not null && parsed.GetValue(adds) ? RecoveryResults.Of(file) : RecoveryResults.None;
    var results = await new RecoveryBenchmark(
        parsed.GetValue(kills), parsed.GetValue(workMinutes), parsed.GetValue(only) ?? [], done, results => Report.Save(results.Report(), args, file)).RunAsync();
    Report.Write(results.Report(), args, file);
});

var history = new Command("history", "Milliseconds in which the live page's server answers for a million metric lines.") { rounds };
history.SetAction(async (parsed, _) => Report.Write(await new HistoryBenchmark(parsed.GetValue(rounds)).RunAsync(), args, parsed.GetValue(output)));

return await new RootCommand("Measures what the documentation says about speed, memory and accuracy.") { output, data, step, networks, layers, own, stepsOfLibrary, memory, memoryOf, serving, endurance, regression, dropout, tables, defaults, kinds, distillation, students, scaling, recovery, history }
    .Parse(args).InvokeAsync();
