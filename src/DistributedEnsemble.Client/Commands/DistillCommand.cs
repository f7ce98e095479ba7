using System.CommandLine;
using DistributedEnsemble.Client.Clusters;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Serving.Processes;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Distillation;

namespace DistributedEnsemble.Client.Commands;

internal sealed class DistillCommand : DriverCommand
{
    private readonly Option<string?> _name = new("--name") { Description = "The student's name [default: R-student]", HelpName = "S" };

    private readonly Option<int> _members = new("--members")
    {
        Description = "Students, each from weights of its own.", HelpName = "k", DefaultValueFactory = _ => 1,
        CustomParser = result => OptionValues.WholeNumber(result, "--members", "a number of members", from: 1, to: 1000) ?? 1,
    };

    private readonly Option<string[]> _set = new("--set")
    {
        Description = "Any key of the student's spec, as often as needed; the others are the teacher's, but for what docs/members.md says of students.", HelpName = SpecArguments.SettingName, Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string?> _unlabelled = new("--unlabelled")
    {
        Description = "Further rows without a target, which the teacher labels: a table with the columns of the run's data; cells may be missing.", HelpName = "rows.csv",
    };

    public DistillCommand(Backend backend, SharedOptions shared, Consoles consoles, TimeProvider time, Func<Interruption> listen)
        : base(
            "distill", "Trains one model that answers as a run's whole ensemble does.",
            "ensemble distill digits-1", "ensemble distill digits-1 --name small --set 'model.hidden=[64]' --set training.epochs=60",
            "ensemble distill digits-1 --unlabelled more.csv --set distillation.mixed=0", "ensemble distill digits-1 --set distillation.temperature=2 --set distillation.share=0.9")
    {
        var run = new NamedRun(shared);
        Add(run.Argument);
        foreach (var option in new Option[] { _name, _members, _unlabelled, _set }) Add(option);
        var session = new TrainingSession(shared, consoles, time, listen);
        session.AddTo(this);
        SetAction((parsed, _) =>
        {
            var options = shared.Read(parsed);
            var catalog = backend.OpenCatalog(options);
            // Before anybody listens, a signal ends the process.
            var teacher = run.Find(parsed, catalog, CancellationToken.None).Run;
            var name = parsed.GetValue(_name) ?? FreeName(catalog, teacher);
            List<(string Path, string Value)> settings = [.. (parsed.GetValue(_set) ?? []).Select(SpecDocument.ParseSetting)];
            if (parsed.GetValue(_unlabelled) is { } unlabelled) settings.Add(("distillation.unlabelled", unlabelled));
            var student = StudentSpec.Of(catalog.ReadDescription(teacher, CancellationToken.None), teacher, name, parsed.GetValue(_members), settings);
            var spec = Wiring.WithFoundUnlabelled(student, new DataFolders(options.DataFolder)).ToJson();
            return session.RunAsync(parsed, backend.StartCluster, async (cluster, stopping) =>
            {
                var sent = cluster.OutlivesProcess ? await DataUpload.SendUnlabelledAsync(cluster.Grains, spec, options.DataFolder, stopping) : spec;
                return await cluster.Scheduler.SubmitAsync(new Submission(sent) { NamesPaths = true }, stopping);
            });
        });
    }

    private static string FreeName(IRunCatalog catalog, string teacher)
    {
        var stem = $"{RunName.From(teacher)}-student";
        return Enumerable.Range(1, int.MaxValue).Select(n => n == 1 ? stem : $"{stem}-{n}").First(name => !catalog.Exists(name, CancellationToken.None));
    }
}
