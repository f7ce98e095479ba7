using System.CommandLine;
using System.Text.Json.Nodes;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Silo;

namespace DistributedEnsemble.Client.Commands;

internal sealed class DistillCommand : DriverCommand
{
    /// <summary>What a student does not take over of its teacher: it is one model, trained on all rows and predicting by its end.</summary>
    private static readonly string[] s_teachersOwn = ["name", "members", "variants", "search", "averaging", "snapshots", "prediction", "distillation"];

    /// <summary>Sections whose keys are others for another kind.</summary>
    private static readonly string[] s_ofKind = ["model", "training.optimizer", "training.schedule"];

    private readonly Option<string?> _name = new("--name") { Description = "The student's name [default: R-student]", HelpName = "S" };

    private readonly Option<int> _members = new("--members")
    {
        Description = "Students, each from weights of its own.", HelpName = "k", DefaultValueFactory = _ => 1,
        CustomParser = result => OptionValues.WholeNumber(result, "--members", "a number of members", from: 1, to: 1000) ?? 1,
    };

    private readonly Option<string[]> _set = new("--set")
    {
        Description = "Any key of the student's spec, as often as needed; the others are the teacher's.", HelpName = "path=value", Arity = ArgumentArity.OneOrMore,
    };

    public DistillCommand(Backend backend, SharedOptions shared, Consoles consoles, TimeProvider time, Func<Interruption> listen)
        : base(
            "distill", "Trains one model that answers as a run's whole ensemble does.",
            "ensemble distill digits-1", "ensemble distill digits-1 --name small --set model.hidden=[64] --set training.epochs=60",
            "ensemble distill digits-1 --set distillation.temperature=2 --set distillation.share=0.7")
    {
        var run = new NamedRun(shared);
        Add(run.Argument);
        foreach (var option in new Option[] { _name, _members, _set }) Add(option);
        var session = new TrainingSession(shared, consoles, time, listen);
        SetAction((parsed, _) =>
        {
            var options = shared.Read(parsed);
            var catalog = backend.OpenCatalog(options);
            var teacher = run.Find(parsed, catalog).Run;
            var name = parsed.GetValue(_name) ?? FreeName(catalog, teacher);
            var spec = Spec(catalog.ReadSpec(teacher), teacher, name, parsed.GetValue(_members), [.. (parsed.GetValue(_set) ?? []).Select(SpecDocument.ParseSetting)]);
            return session.RunAsync(
                parsed, stopping => backend.StartCluster(options, stopping), (cluster, _) => cluster.Scheduler.SubmitAsync(new Submission(spec)));
        });
    }

    private static string FreeName(IRunCatalog catalog, string teacher)
    {
        var stem = $"{RunName.From(teacher)}-student";
        return Enumerable.Range(1, int.MaxValue).Select(n => n == 1 ? stem : $"{stem}-{n}").First(name => !catalog.Exists(name));
    }

    /// <summary>The teacher's, but for what is said.</summary>
    private static string Spec(EnsembleSpec teacher, string teachersName, string name, int members, IReadOnlyList<(string Path, string Value)> settings)
    {
        var json = JsonNode.Parse(teacher.ToJson())!.AsObject();
        foreach (var key in s_teachersOwn) json.Remove(key);
        foreach (var key in (string[])["folds", "bootstrap", "columns", .. teacher.Data.HasOutOfFold ? ["validationFraction"] : Array.Empty<string>()])
            json["data"]!.AsObject().Remove(key);
        foreach (var section in s_ofKind.Where(section => settings.Any(setting => setting.Path == $"{section}.kind"))) Remove(json, section.Split('.'));
        return SpecDocument.Parse(json.ToJsonString())
            .With([("name", name), ("members", $"{members}"), ("distillation.teacher", teachersName), .. settings]).ToJson();
    }

    private static void Remove(JsonObject json, string[] path)
    {
        foreach (var name in path[..^1]) json = json[name]!.AsObject();
        json.Remove(path[^1]);
    }
}
