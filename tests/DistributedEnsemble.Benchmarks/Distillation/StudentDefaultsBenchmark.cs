using System.Globalization;
using System.Text.Json;
using DistributedEnsemble.Benchmarks.Tables;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Distillation;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Benchmarks.Distillation;

/// <summary>
/// Compares how students could be trained by default, on training rows alone: the test rows are put away, and a fifth of the others
/// measures. All students of a fifth have the same teacher, so that what differs between them is theirs.
/// </summary>
/// <param name="folder">Of tables, and tables.tsv.</param>
/// <param name="only">Names of data; all without any.</param>
/// <param name="folds">Which fifths measure, one after another: 1 to 5.</param>
internal sealed class StudentDefaultsBenchmark(string folder, IReadOnlyCollection<string> only, int folds)
{
    private const int Parts = 5;

    /// <param name="candidates">Settings, parted by blanks, over what `ensemble distill` gives a student; epochs as 2x are twice the teacher's.</param>
    /// <param name="output">Gets a line for each data, fifth and candidate.</param>
    public async Task RunAsync(IReadOnlyList<string> candidates, TextWriter output)
    {
        foreach (var (name, spec, source, isInOrder) in All().Where(data => only.Count == 0 || only.Contains(data.Name)))
        {
            using var all = source.Load();
            for (var fold = 0; fold < folds; fold++)
            {
                await using var silo = await TemporarySilo.StartAsync(Part(all, source.Source, fold, isInOrder), lanes: 1);
                var document = SpecDocument.Parse(spec).With([("data.dataset", Preloaded.DatasetName), ("seed", $"{fold + 1}"), ("name", "teacher")]);
                var trained = await silo.TrainAsync(document.ToJson());
                var (_, teacher) = await silo.EvaluateAsync(trained);
                var description = await silo.DescriptionOfAsync(trained);
                foreach (var (index, candidate) in candidates.Index())
                {
                    var settings = candidate.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(setting => Absolute(SpecDocument.ParseSetting(setting), description.Spec)).ToArray();
                    try
                    {
                        var student = StudentSpec.Of(description, trained.Run, $"student-{index}", members: 1, settings);
                        var (_, report) = await silo.EvaluateAsync(await silo.TrainAsync(student.ToJson()));
                        output.WriteLine(JsonSerializer.Serialize(StudentDefaultsResult.Of(name, fold, candidate, teacher, report), JsonSerializerOptions.Web));
                    }
                    catch (Exception exception) when (exception.GetBaseException() is SpecException)
                    {
                        // Not every candidate is one of every network.
                        Console.Error.WriteLine($"{name}: {candidate}: {exception.GetBaseException().Message}");
                    }

                    output.Flush();
                }
            }
        }
    }

    private IEnumerable<(string Name, string Spec, (IDatasetSource Source, Func<Dataset> Load) Source, bool IsInOrder)> All() =>
    [
        .. DistillationBenchmark.Images.Select(image =>
        {
            var source = new DatasetRegistry().Resolve(SpecDocument.Parse(image.Spec).Dataset);
            // By writers.
            return (image.Name, image.Spec, (source, (Func<Dataset>)(() => source.Load(new DataFolders()))), true);
        }),
        .. PublicTable.All(folder).Select(table => (table.Name, "{}", ((IDatasetSource)new TableSource(table.Name), (Func<Dataset>)table.Load), false)),
    ];

    private static Preloaded Part(Dataset all, IDatasetSource source, int fold, bool isInOrder)
    {
        var count = (int)all.Train.Count;
        bool IsMeasured(int row) => (isInOrder ? (int)((long)row * Parts / count) : row % Parts) == fold;
        int[] rows = [.. Enumerable.Range(0, count)];
        return new Preloaded(source, all, () => new Dataset
        {
            Name = Preloaded.DatasetName, Sha256 = all.Sha256, InputShape = all.InputShape, Embedded = all.Embedded, Columns = all.Columns, Task = all.Task,
            Preprocessing = all.Preprocessing, Table = all.Table, Defaults = all.Defaults, Train = all.Train.Rows([.. rows.Where(row => !IsMeasured(row))]), Test = all.Train.Rows([.. rows.Where(IsMeasured)]),
        });
    }

    private static (string Path, string Value) Absolute((string Path, string Value) setting, EnsembleSpec teacher) => !setting.Value.EndsWith('x') ? setting : setting.Path switch
    {
        "training.epochs" => (setting.Path, $"{(int)(Factor(setting.Value) * teacher.Training.Epochs)}"),
        "training.schedule.learningRate" => (setting.Path, (Factor(setting.Value) * teacher.Training.Schedule.LearningRate).ToString(CultureInfo.InvariantCulture)),
        _ => setting,
    };

    private static double Factor(string value) => double.Parse(value.AsSpan()[..^1], CultureInfo.InvariantCulture);
}

/// <param name="Fold">Which fifth measured, from 0.</param>
/// <param name="Single">NLL of the teacher's mean member.</param>
/// <param name="Calibrated">NLL of the student after its temperature or factor; null without validation rows.</param>
/// <param name="Validation">NLL of the student on the validation rows.</param>
internal sealed record StudentDefaultsResult(
    string Data, int Fold, string Candidate, double Single, double Teacher, double Student, double? TeacherCalibrated, double? Calibrated, double? TeacherValidation, double? Validation,
    double SingleMeasure, double TeacherMeasure, double StudentMeasure)
{
    public static StudentDefaultsResult Of(string data, int fold, string candidate, EvaluationReport teacher, EvaluationReport student)
    {
        var first = teacher.Ensemble.All[0].Name;
        return new StudentDefaultsResult(
            data, fold, candidate, teacher.Single.Mean.Nll, teacher.Ensemble.Nll, student.Ensemble.Nll, teacher.Calibrated?.Nll, student.Calibrated?.Nll,
            teacher.Validation?.Measures.Nll, student.Validation?.Measures.Nll, teacher.Single.Mean[first], teacher.Ensemble[first], student.Ensemble[first]);
    }
}
