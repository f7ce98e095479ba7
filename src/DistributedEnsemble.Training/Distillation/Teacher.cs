using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Safetensors;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Distillation;

/// <summary>The run whose averaged predictions a student learns, predicting as its own spec says.</summary>
internal sealed class Teacher
{
    /// <summary>Rows that all models are asked for before the next ones: the answers of all rows could be more than the data.</summary>
    private const int Together = 64 * BatchedPrediction.BatchSize;

    /// <summary>Numbers of a copy of their inputs, where these lie in a file.</summary>
    private const int MostCopied = 1 << 24;

    private const string Others = "its models are others than distillation.weights says (bring the old run back, or begin a new student)";

    private readonly RunFolder _folder;
    private readonly TrainingPlan _plan;
    private readonly ConstituentSelection _selection;
    private readonly LearningTask _task;

    private readonly LearningTask _ofStudent;

    private Teacher(RunFolder folder, TrainingPlan plan, ConstituentSelection selection, LearningTask ofStudent) => (_folder, _plan, _selection, _task, _ofStudent) = (
        folder, plan, selection, plan.Task.FittedBy(selection.Fit), ofStudent);

    /// <summary>The sha256 of its models, each as often as it counts.</summary>
    public IEnumerable<string> Weights => _selection.Constituents.Zip(_selection.Multiplicities).SelectMany(model => Enumerable.Repeat(model.First.Sha256, model.Second));

    /// <param name="runs">Has all runs.</param>
    /// <param name="student">Its spec.</param>
    /// <param name="dataset">What the student trains on.</param>
    /// <exception cref="SpecException">The run is no teacher of that student.</exception>
    public static Teacher Open(RunStorage runs, EnsembleSpec student, Dataset dataset, NetworkRegistry networks)
    {
        var name = student.Distillation!.Teacher!;
        try
        {
            var folder = new RunFolder(runs, name);
            var status = RunStatusFile.Read(folder) ?? throw Wrong(name, $"there is no such run in {folder.Runs}");
            if (status.State is not (RunState.Completed or RunState.Degraded)) throw Wrong(name, $"it is {status.State.ToString().ToLowerInvariant()}, and a teacher's training must have ended");
            // Trained on other rows it may measure its target otherwise: what is wrong then is the teacher, and not the data.
            if (student.Distillation.Weights?.All(status.Snapshots.Concat(status.Ema).Select(file => file.Sha256).ToHashSet().Contains) == false) throw Wrong(name, Others);
            var run = RunDescription.Read(folder);
            CheckData(name, run.Data, DataDescription.Of(dataset, 0));
            var plan = new TrainingPlan(run.Spec, run.Data.Task is Regression task && task != dataset.Task ? dataset.InUnitsOf(task) : dataset, networks, numbers: run.Data.Numbers);
            var chosen = ChosenConstituents.Of(status, plan, null);
            var fit = ValidationFits.OfAsync(folder, plan, chosen, new FolderConstituents(folder, plan)).GetAwaiter().GetResult();
            return new Teacher(folder, plan, ConstituentSelection.Of(chosen, fit), dataset.Task);
        }
        catch (Exception exception) when (exception is InvalidDataException or SafetensorsException)
        {
            throw Wrong(name, exception.Message.TrimEnd('.'));
        }
    }

    /// <summary>How a student reads its data: as its teacher did, whose models know no other inputs.</summary>
    /// <returns>Null of a run without a teacher, and of one that asks for other columns; what is wrong is told when the teacher is opened.</returns>
    public static DataDescription? DataOf(RunStorage runs, EnsembleSpec student)
    {
        if (student.Distillation?.Teacher is not { } name || !RunName.IsValid(name)) return null;
        try
        {
            var run = RunDescription.Read(new RunFolder(runs, name));
            return AskedOf(run.Spec.Data) == AskedOf(student.Data) ? run.Data : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }

        // The bytes of the files are compared elsewhere; rows are each run's own.
        static DataSpec AskedOf(DataSpec data) => data with { Dataset = "", Test = null, ValidationFraction = 0, Bootstrap = false, Folds = 0, Columns = 1 };
    }

    /// <summary>Whether it still is the one that a run began with.</summary>
    /// <exception cref="DataException">It is not.</exception>
    public void RequireUnchanged(DistillationSpec distillation)
    {
        if (distillation.Weights is not { } weights || Weights.SequenceEqual(weights)) return;
        throw new DataException(Said(_folder.Name, Others));
    }

    /// <summary>Its models of a network, the best on the validation rows first, or in their order; null if it has none.</summary>
    /// <param name="most">How many, at most.</param>
    public StartingWeights? Start(WeightLayout layout, int most)
    {
        WeightFile[] fitting = [.. _selection.Constituents.Where(file => _plan.Of(file.Member).Network.Layout.Fits(layout))];
        if (_selection.Fit is { } fit) fitting = [.. fitting.OrderBy(file => fit.Constituents.First(fitted => fitted.Model == file).Nll)];
        return fitting is [] ? null : StartingWeights.Of([.. fitting.Take(most).Select(file => (Func<Weights>)(() => WeightFiles.LoadWeights(_folder, file, layout)))], layout);
    }

    /// <summary>Its averaged predictions of all training rows, and of further ones.</summary>
    /// <param name="start">What its students begin with; null if at random.</param>
    /// <exception cref="DataException">They are not what a run began with.</exception>
    public SoftTargets Teach(DistillationSpec distillation, FurtherRows further, StartingWeights? start)
    {
        var experts = Experts();
        var targets = Teach(distillation, further, start, experts);
        // Former programs taught the moments whatever the measured rows say, and their students go on learning what they began with.
        if (experts is not null && !IsAsBegun()) targets = Teach(distillation, further, start, experts: null);
        return IsAsBegun() ? targets : throw new DataException(
            Said(_folder.Name, "what it teaches is other than distillation.targets says (bring the old run back, or begin a new student)"));

        bool IsAsBegun() => distillation.Targets is null || distillation.Targets == targets.Sha256;
    }

    /// <param name="experts">Whose models' product is taught; null teaches the moments of their mixture.</param>
    private SoftTargets Teach(DistillationSpec distillation, FurtherRows further, StartingWeights? start, Regression? experts)
    {
        var (train, width, unlabelled) = (_plan.Dataset.Train, _task.SoftWidth, further.Unlabelled ?? 0);
        var others = (further.Inputs?.Length ?? 0) / train.Width;
        var soft = new NativeVector((train.Count + others) * width);
        // Whole batches, so that the bits do not depend on it.
        var together = Math.Clamp(MostCopied / (train.Width * BatchedPrediction.BatchSize) * BatchedPrediction.BatchSize, BatchedPrediction.BatchSize, Together);
        var copy = train.RoomFor(Math.Min(together, train.Count));
        for (var first = 0; first < train.Count; first += together)
        {
            var rows = (int)Math.Min(together, train.Count - first);
            Soften(Average(train.InputsOf(first, rows, copy), first, rows, experts), soft.Slice((long)first * width, rows * width));
        }

        TeachFurther(0, unlabelled);
        // These are rows of the data, and have been asked for as such.
        foreach (var (i, row) in further.Validation.Index()) soft.Slice((long)row * width, width).CopyTo(soft.Slice((train.Count + unlabelled + i) * width, width));
        TeachFurther(unlabelled + further.Validation.Length, others);
        return SoftTargets.Of(soft, _ofStudent, train.Count, further.Inputs, start);

        void TeachFurther(long first, long end)
        {
            for (; first < end; first += Together)
            {
                var rows = (int)Math.Min(Together, end - first);
                Soften(Average(further.Inputs!.Slice(first * train.Width, rows * train.Width), null, rows, experts), soft.Slice((train.Count + first) * width, rows * width));
            }
        }

        void Soften(double[] answers, Span<float> learnt)
        {
            _task.Soften(answers, distillation.Temperature, learnt);
            if (_ofStudent is Regression student && _plan.Dataset.Task is Regression own && student != own) student.Convert(learnt, own);
        }
    }

    /// <summary>On the test split, beside its single models.</summary>
    public async Task<TeacherMeasures> EvaluateAsync(CancellationToken cancellation)
    {
        var report = await EnsembleEvaluation.RunAsync(_folder.Name, _plan, _selection, new FolderConstituents(_folder, _plan, cancellation));
        return new TeacherMeasures(report.Run, report.Constituents, report.Ensemble, report.Single.Mean);
    }

    /// <summary>How the teacher of a run measures; null if it has none, or the teacher is not what it was.</summary>
    public static async Task<TeacherMeasures?> MeasureAsync(RunFolder student, TrainingPlan plan, NetworkRegistry networks, CancellationToken cancellation)
    {
        if (plan.Spec.Distillation is not { } distillation) return null;
        try
        {
            var teacher = Open(student.Storage, plan.Spec, plan.Dataset, networks);
            teacher.RequireUnchanged(distillation);
            return await teacher.EvaluateAsync(cancellation);
        }
        catch (Exception exception) when (exception is SpecException or DataException or SafetensorsException)
        {
            return null;
        }
    }

    /// <summary>Of all models, or their product; where members do not see all rows, of those that did not see the row, if there is one.</summary>
    /// <param name="first">Which training row the first one is; null of rows that are none.</param>
    /// <param name="experts">Whose models' product is taken; null takes the moments of their mixture.</param>
    private double[] Average(ReadOnlySpan<float> inputs, int? first, int rows, Regression? experts)
    {
        var (all, unseen) = (new AnswerMean(), first is not null && _plan.Spec.Data.HasOutOfFold ? new PartialAnswerMean(rows, _task.Width) : null);
        foreach (var (weights, file, multiplicity) in Models())
        {
            var answers = BatchedPrediction.Of(Predictors.Create(_plan, weights, file.Member, _selection.MonteCarloSamples), inputs, _plan.Dataset.Train.Width);
            if (experts is not null) ExpertsProduct.ToTerms(experts, answers);
            all.Add(answers, multiplicity);
            if (unseen is null) continue;
            var isSeen = SeenBy(file.Member);
            for (var row = 0; row < rows; row++) if (isSeen[first!.Value + row]) answers[row * _task.Width] = double.NaN;
            unseen.Add(answers, multiplicity);
        }

        var mean = all.ToArray();
        if (unseen is not null) mean = [.. unseen.ToArray().Select((answer, i) => double.IsNaN(answer) ? mean[i] : answer)];
        if (experts is not null) ExpertsProduct.FromTerms(experts, mean);
        return mean;
    }

    /// <summary>Of a regression whose measured rows the product of its models says better than one normal distribution with the mixture's moments does.</summary>
    private Regression? Experts()
    {
        if (_task is not Regression { HasVariances: true } task || _plan.Measuring is not { } part) return null;
        var chosen = new ChosenConstituents(_selection.Constituents, _selection.MonteCarloSamples, IsGreedy: false);
        var (models, targets) = (new FolderConstituents(_folder, _plan), _plan.Targets(part));
        var pieces = RowRange.Of(_plan, part).Select(rows =>
            (MeasuredAnswers.AskAsync(_plan, chosen, models, rows).GetAwaiter().GetResult(), (ReadOnlyMemory<float>)targets.AsMemory(rows.Start, rows.Count)));
        return ExpertsProduct.IsBetter(task, _selection.Multiplicities, pieces) ? task : null;
    }

    /// <summary>Of each of the dataset's training rows.</summary>
    private bool[] SeenBy(int member)
    {
        var seen = new bool[_plan.Dataset.Train.Count];
        foreach (var row in _plan.Rows.Of(member)) seen[row] = true;
        return seen;
    }

    private IEnumerable<(Weights Weights, WeightFile File, int Multiplicity)> Models()
    {
        foreach (var (file, multiplicity) in _selection.Constituents.Zip(_selection.Multiplicities))
        {
            using var weights = WeightFiles.LoadWeights(_folder, file, _plan.Of(file.Member).Network.Layout);
            yield return (weights, file, multiplicity);
        }
    }

    private static void CheckData(string name, DataDescription teacher, DataDescription student)
    {
        if (teacher.Sha256 != student.Sha256) throw Wrong(name, $"it was trained on other data ({teacher.Dataset}), and a student learns its predictions row by row");
        var isSame = teacher.Task is Regression number && student.Task is Regression other ? number.IsOfTheSameTarget(other) : teacher.Task.Equals(student.Task);
        if (!isSame) throw Wrong(name, "it predicts another target, or other classes");
        if (!teacher.InputShape.SequenceEqual(student.InputShape) || !teacher.Features.SequenceEqual(student.Features))
            throw Wrong(name, "it was trained on other columns than the student's (leave data.ignore and the others of data as they were)");
    }

    private static SpecException Wrong(string name, string reason) => new(Said(name, reason));

    private static string Said(string name, string reason) => $"distillation.teacher is {OneLine.Quoted(name)}: {reason}.";
}
