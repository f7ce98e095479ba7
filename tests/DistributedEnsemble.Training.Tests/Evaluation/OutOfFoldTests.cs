using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Evaluation;

public sealed class OutOfFoldTests
{
    [Theory]
    [InlineData("data.folds=3")]
    [InlineData("data.bootstrap=true")]
    [InlineData("data.folds=2 data.bootstrap=true")]
    public async Task A_row_is_answered_by_the_members_that_did_not_see_it_and_by_no_other(string settings)
    {
        using var run = new TrainedRun(Plans.Small, settings);
        var page = await run.AllAsync();
        var (rows, known) = (page.Values[0].Integers, page.Values.First(values => values.Name == "probabilities").Numbers);
        for (var i = 0; i < rows.Length; i += 97)
        {
            var place = Array.IndexOf(run.Plan.Split.Training, (int)rows[i]);
            var mean = new AnswerMean();
            foreach (var snapshot in run.Snapshots.Where(snapshot => run.Plan.Rows.UnseenBy(snapshot.Member)[place]))
            {
                var answer = new double[run.Plan.Task.Width];
                Predictors.Create(run.Plan, snapshot.Weights, snapshot.Member, 0).Answer(run.Plan.Dataset.Train.InputsOf(rows[i], 1), answer);
                mean.Add(answer);
            }

            Assert.Equal(mean.ToArray()[..10].Select(p => (float)p), known.Skip(10 * i).Take(10));
        }

        Assert.Equal(run.Plan.Task.Truth([.. rows.Select(row => run.Plan.Dataset.Train.Targets[row])]).Texts, page.Values[1].Texts);
    }

    [Fact]
    public async Task With_folds_every_training_row_is_answered_once()
    {
        using var run = new TrainedRun(Plans.Small, "data.folds=3");
        var page = await run.AllAsync();
        Assert.Equal(run.Plan.Split.Training.Select(row => (long)row), page.Values[0].Integers);
    }

    [Fact]
    public async Task Pages_of_a_few_rows_have_the_bits_of_large_ones()
    {
        using var run = new TrainedRun(Plans.Small, "data.folds=3");
        var (large, small) = (await run.AllAsync(), await run.AllAsync(mostBytes: 2000));

        Assert.Equal(large.Values.Select(values => values.Name), small.Values.Select(values => values.Name));
        Assert.All(large.Values.Zip(small.Values), page => Assert.Equal(page.First.Numbers, page.Second.Numbers));
        Assert.All(large.Values.Zip(small.Values), page => Assert.Equal(page.First.Integers, page.Second.Integers));
        Assert.All(large.Values.Zip(small.Values), page => Assert.Equal(page.First.Texts, page.Second.Texts));
    }

    [Fact]
    public async Task Rows_that_every_member_saw_are_left_out()
    {
        using var run = new TrainedRun(Plans.Small, "data.folds=5");
        var page = await run.AllAsync();
        Assert.Equal(run.Plan.Split.Training.Length - Enumerable.Range(3, 2).Sum(fold => run.Plan.Split.Training.Length - run.Plan.Rows.CountOf(fold)), page.Rows);
        var fit = await run.FitAsync("all");
        Assert.Equal(page.Rows, fit.Conformal!.Rows);
    }

    [Fact]
    public async Task A_rows_answer_does_not_change_when_its_label_is_poisoned()
    {
        const int Row = 40;
        using var honest = new TrainedRun(Plans.Small, "data.folds=3");
        using var poisoned = new TrainedRun(Plans.Small, "data.folds=3", dataset => dataset.Train.Targets[Row] = (dataset.Train.Targets[Row] + 1) % 10);
        var place = Array.IndexOf(honest.Plan.Split.Training, Row);
        var allowed = Enumerable.Range(0, 3).Single(member => honest.Plan.Rows.UnseenBy(member)[place]);

        Assert.Equal(await AnswerAsync(honest), await AnswerAsync(poisoned));
        Assert.Equal([allowed], Enumerable.Range(0, 3).Where(member => honest.Sha256Of(member) == poisoned.Sha256Of(member)));

        static async Task<float[]> AnswerAsync(TrainedRun run)
        {
            var page = await run.AllAsync();
            return [.. page.Values.First(values => values.Name == "probabilities").Numbers.Skip(10 * page.Values[0].Integers.IndexOf(Row)).Take(10)];
        }
    }

    /// <summary>Of a regression, its mean and deviation come of all rows of the file; of the tabm's numbers, their quantiles.</summary>
    [Theory]
    [InlineData("price", "mlp", "data.folds=3")]
    [InlineData("price", "tabm", "data.folds=3")]
    [InlineData("price", "mlp", "data.bootstrap=true")]
    [InlineData("label", "mlp", "data.bootstrap=true")]
    public async Task A_rows_answer_does_not_change_when_its_target_is_poisoned_in_the_tables_file(string target, string model, string settings)
    {
        const int RowOfFile = 7, Row = 6;
        var (price, label) = (MixedSpecs.Number, MixedSpecs.Class);
        var json = target == "label" ? label : model == "mlp" ? price : MixedSpecs.TabMNumber;
        using var honest = new TrainedRun(json, settings, source: new MixedTables());
        using var poisoned = new TrainedRun(json, settings, source: new MixedTables(edit: lines =>
        {
            var cells = lines[1 + RowOfFile].Split(',');
            (cells[5], cells[6]) = target == "label" ? (cells[5], cells[6] == "yes" ? "no" : "yes") : ("1000000", cells[6]);
            lines[1 + RowOfFile] = string.Join(',', cells);
        }));
        var place = Array.IndexOf(honest.Plan.Split.Training, Row);
        int[] blind = [.. Enumerable.Range(0, 3).Where(member => honest.Plan.Rows.UnseenBy(member)[place])];

        Assert.NotEqual(honest.Plan.Dataset.Train.Targets[Row], poisoned.Plan.Dataset.Train.Targets[Row]);
        Assert.NotEmpty(blind);
        Assert.Equal(blind, Enumerable.Range(0, 3).Where(member => honest.Sha256Of(member) == poisoned.Sha256Of(member)));
        Assert.Equal(await AnswerAsync(honest), await AnswerAsync(poisoned));

        static async Task<float[]> AnswerAsync(TrainedRun run)
        {
            var page = await run.AllAsync();
            var at = page.Values[0].Integers.IndexOf(Row);
            return [.. page.Values.Skip(2).Where(values => values.Numbers.Length > 0).SelectMany(values => values.Numbers.Skip(at * values.Numbers.Length / page.Rows).Take(values.Numbers.Length / page.Rows))];
        }
    }

    [Fact]
    public async Task The_fit_is_over_all_training_rows_and_greedy_selection_covers_every_fold()
    {
        using var run = new TrainedRun(Plans.Small, "data.folds=3 members=6");
        var (all, greedy) = (await run.FitAsync("all"), await run.FitAsync("greedy"));
        Assert.Equal(1437, all.Conformal!.Rows);
        Assert.Equal(1437, greedy.Conformal!.Rows);
        Assert.Equal([0, 1, 2], greedy.Constituents.Where(fitted => fitted.Multiplicity > 0).Select(fitted => fitted.Model.Member % 3).Distinct().Order());
        Assert.True(greedy.Ensemble.Nll <= all.Ensemble.Nll);
        Assert.Single(greedy.Constituents.GroupBy(fitted => fitted.Model.Member % 3).Select(fold => fold.Sum(fitted => fitted.Multiplicity)).Distinct());
        Assert.All(all.Constituents, fitted => Assert.True(double.IsFinite(fitted.Nll)));
    }

    [Fact]
    public async Task Rows_that_only_a_model_may_answer_that_was_not_selected_are_left_out_of_the_fit()
    {
        using var run = new TrainedRun(Plans.Small, "data.bootstrap=true members=3");
        run.Ruin(2);
        var fit = await run.FitAsync("greedy");

        Assert.Equal(0, fit.Constituents[2].Multiplicity);
        Assert.All(fit.Constituents.Take(2), fitted => Assert.InRange(fitted.Multiplicity, 1, int.MaxValue));
        var answered = Enumerable.Range(0, run.Plan.Split.Training.Length).Count(place => run.Plan.Rows.UnseenBy(0)[place] || run.Plan.Rows.UnseenBy(1)[place]);
        var withTheThird = Enumerable.Range(0, run.Plan.Split.Training.Length).Count(place => Enumerable.Range(0, 3).Any(member => run.Plan.Rows.UnseenBy(member)[place]));
        Assert.InRange(answered, 1, withTheThird - 1);
        Assert.Equal(answered, fit.Conformal!.Rows);
        Assert.True(double.IsFinite(fit.Ensemble.Nll));
    }

    [Fact]
    public async Task A_model_that_counts_no_time_is_not_asked_and_answers_no_row()
    {
        using var run = new TrainedRun(Plans.Small, "data.folds=3");
        var fit = await run.FitAsync("greedy");
        fit = fit with { Constituents = fit.Constituents.SetItem(1, fit.Constituents[1] with { Multiplicity = 0 }) };
        run.Asked.Clear();

        var page = await run.AllAsync(fit);

        Assert.Equal([0, 2], run.Asked.Distinct().Order());
        var training = run.Plan.Split.Training;
        Assert.Equal(Enumerable.Range(0, training.Length).Where(place => !run.Plan.Rows.UnseenBy(1)[place]).Select(place => (long)training[place]), page.Values[0].Integers);
        Assert.All(page.Values.First(values => values.Name == "probabilities").Numbers, number => Assert.True(float.IsFinite(number)));
    }

    [Theory]
    [InlineData("gaussian")]
    [InlineData("squared-error")]
    public async Task A_regression_is_measured_and_calibrated_out_of_fold(string likelihood)
    {
        using var run = new TrainedRun(Plans.Number, $"data.folds=2 data.bootstrap=true members=4 training.likelihood={likelihood}");
        var fit = await run.FitAsync("greedy");
        Assert.True(fit.Calibrated.Nll <= fit.Ensemble.Nll + 1e-9);
        Assert.True(double.IsFinite(fit.Ensemble["crps"]));
        var page = await run.AllAsync();
        Assert.Equal(["row", "truth", "mean", "standard_deviation", "aleatoric", "epistemic", "lower", "upper"], page.Columns.Select(column => column.Name));
        Assert.All(page.Values.Skip(1), values => Assert.Equal(page.Rows, values.Numbers.Length));
    }

    [Fact]
    public void The_truth_of_a_number_is_the_number_of_the_data()
    {
        var task = Regression.Of([0.11, 0.27, 47.27, 12.5, 3.25]);
        Assert.Equal([0.11f, 0.27f, 47.27f, 3.25f], task.Truth([task.Standardise(0.11), task.Standardise(0.27), task.Standardise(47.27), task.Standardise(3.25)]).Numbers);
    }

    [Fact]
    public async Task A_run_whose_members_saw_all_rows_has_none_out_of_fold()
    {
        using var run = new TrainedRun(Plans.Small, "members=1");
        Assert.Equal(
            "Run \"small\" has no rows out of fold: each of its members saw all of them. Train one with --folds 5, or with --bootstrap.",
            (await Assert.ThrowsAsync<SpecException>(() => run.AllAsync())).Message);
    }

    [Fact]
    public void The_mean_of_some_answers_is_the_mean_of_all_where_all_answered()
    {
        double[][] models = [[0.1, 0.2, 0.7, 0.3], [0.5, 0.25, 0.125, 1]];
        Assert.Equal(
            AnswerRows.Of([.. models.Select(model => (ReadOnlyMemory<double>)model)], [1, 2]).Mean,
            AnswerRows.OfSome([.. models.Select(model => (ReadOnlyMemory<double>)model)], [1, 2], 2).Mean);
    }

    [Fact]
    public void Greedy_selection_prefers_a_model_that_may_say_to_the_prior()
    {
        double[] first = [0.5, 0.5, double.NaN, double.NaN], second = [double.NaN, double.NaN, 0.5, 0.5], bad = [double.NaN, double.NaN, 0.05, 0.05];
        Assert.Equal([1, 1, 0], GreedySelection.Select([first, second, bad], [0.1, 0.1, 0.1, 0.1]));
    }

    [Fact]
    public void Models_without_a_row_in_common_are_selected_apart_and_their_groups_count_alike()
    {
        double[] good = [0.9, 0.9, double.NaN, double.NaN], bad = [0.1, 0.1, double.NaN, double.NaN];
        double[] left = [double.NaN, double.NaN, 0.9, 0.3], right = [double.NaN, double.NaN, 0.3, 0.9];
        Assert.Equal([2, 1, 0, 1], GreedySelection.SelectInGroups([good, left, bad, right], [0.1, 0.1, 0.1, 0.1]));
    }

    [Fact]
    public void Models_that_are_linked_by_rows_are_selected_together()
    {
        double[] first = [0.9, 0.9, double.NaN], second = [double.NaN, 0.8, 0.8], third = [0.2, double.NaN, 0.2];
        Assert.Equal(
            GreedySelection.Select([first, second, third], [0.1, 0.1, 0.1]), GreedySelection.SelectInGroups([first, second, third], [0.1, 0.1, 0.1]));
    }

    private sealed class TrainedRun : IDisposable, IConstituents
    {
        public TrainedRun(string json, string settings, Action<Dataset>? poison = null, IDatasetSource? source = null)
        {
            // A dataset of its own, that may be changed after it was split.
            var spec = Plans.Spec(json, [.. settings.Split(' ').Select(SpecDocument.ParseSetting)]);
            var shared = source?.Load(new DataFolders(), spec, null) ?? Plans.Of(json, [.. settings.Split(' ').Select(SpecDocument.ParseSetting)]).Dataset;
            var own = new Dataset
            {
                Name = shared.Name, Sha256 = shared.Sha256, InputShape = shared.InputShape, Columns = shared.Columns, Embedded = shared.Embedded, Table = shared.Table, Task = shared.Task, Preprocessing = shared.Preprocessing,
                Train = shared.Train.Rows([.. Enumerable.Range(0, (int)shared.Train.Count)]), Test = shared.Test,
            };
            Plan = new TrainingPlan(spec, own, new NetworkRegistry());
            poison?.Invoke(own);
            Snapshots = EnsembleTraining.Run(Plan);
            Chosen = new ChosenConstituents([.. Snapshots.Select(snapshot => new WeightFile(snapshot.Member, snapshot.Step, $"{snapshot.Member}", snapshot.Weights.Sha256()))], 0, false);
        }

        public TrainingPlan Plan { get; }

        public IReadOnlyList<Snapshot> Snapshots { get; }

        private ChosenConstituents Chosen { get; }

        public string Sha256Of(int member) => Chosen.Constituents[member].Sha256;

        /// <summary>All pages as one.</summary>
        /// <param name="greedy">What was selected; null is all.</param>
        /// <param name="mostBytes">Of a page's numbers.</param>
        public async Task<OutOfFoldPage> AllAsync(ValidationFit? greedy = null, long mostBytes = 8 << 20)
        {
            var fit = greedy ?? (Plan.Task.NeedsFit ? await FitAsync("all") : null);
            var pages = new List<OutOfFoldPage>();
            for (int? start = 0; start is { } next; start = pages[^1].Next)
                pages.Add(await OutOfFoldPrediction.OfAsync("small", Plan, Chosen with { IsGreedy = greedy is not null }, fit, this, new OutOfFoldRequest(Start: next), mostBytes));
            return pages[0] with
            {
                Rows = pages.Sum(page => page.Rows),
                Values = [.. pages[0].Columns.Select((column, i) => new OutputValues(column.Name)
                {
                    Numbers = [.. pages.SelectMany(page => page.Values[i].Numbers)],
                    Integers = [.. pages.SelectMany(page => page.Values[i].Integers)],
                    Texts = [.. pages.SelectMany(page => page.Values[i].Texts)],
                })],
            };
        }

        public Task<ValidationFit> FitAsync(string select) => ValidationFit.OfAsync(Plan, Chosen with { IsGreedy = select == "greedy" }, this);

        /// <summary>Whose models were asked.</summary>
        public List<int> Asked { get; } = [];

        /// <summary>Lets a member's model be sure of wrong classes.</summary>
        public void Ruin(int member)
        {
            foreach (ref var weight in Snapshots[member].Weights.Parameters.Span) weight *= -3;
        }

        public ValueTask<ConstituentAnswers> PredictAsync(System.Collections.Immutable.ImmutableArray<WeightFile> constituents, int monteCarloSamples, RowRange rows)
        {
            Asked.AddRange(constituents.Select(file => file.Member));
            return ValueTask.FromResult(new ConstituentAnswers([.. constituents.Select(file => System.Collections.Immutable.ImmutableArray.Create(
                Plan.Predict(Predictors.Create(Plan, Snapshots[file.Member].Weights, file.Member, monteCarloSamples), file.Member, rows)))]));
        }

        public void Dispose()
        {
            foreach (var snapshot in Snapshots) snapshot.Weights.Dispose();
        }
    }
}
