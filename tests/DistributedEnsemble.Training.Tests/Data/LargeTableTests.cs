using DistributedEnsemble.Files;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Tests;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Distillation;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Training.Tests.Data;

/// <summary>A run whose inputs lie in a file has the bits of one whose inputs lie in memory.</summary>
public sealed class LargeTableTests : IDisposable
{
    private readonly TemporaryFolder _folder = TemporaryFolder.OnDisk();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Runs => new()
    {
        { MixedSpecs.Class, "" },
        { MixedSpecs.Number, "" },
        { MixedSpecs.Class, "data.folds=3" },
        { MixedSpecs.Number, "data.bootstrap=true" },
        { MixedSpecs.TabMClass, "training.earlyStopping={\"patience\":2,\"everySteps\":1}" },
        { MixedSpecs.TabMNumber, "data.folds=2 data.bootstrap=true" },
        { MixedSpecs.Class, "training.kernels=libtorch" },
    };

    [Theory, MemberData(nameof(Runs))]
    public void Training_and_every_answer_have_the_same_bits(string json, string settings)
    {
        var spec = Plans.Spec(json, [.. settings.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(SpecDocument.ParseSetting)]);
        var (memory, file) = (new Reading(spec, null), new Reading(spec, new InputFolder(_folder.Path, 1)));
        Assert.Empty(memory.Data.Train.RoomFor(1));
        Assert.NotEmpty(file.Data.Train.RoomFor(1));

        Assert.Equal(DataDescription.Of(memory.Plan).ToJson(), DataDescription.Of(file.Plan).ToJson());
        Assert.Equal(memory.Train(), file.Train());
        var parts = spec.Data.HasOutOfFold ? new[] { DataPart.Test, DataPart.OutOfFold } : [DataPart.Test, DataPart.Validation];
        foreach (var part in parts) Assert.Equal(memory.Answers(part), file.Answers(part));
        memory.Dispose();
        file.Dispose();
    }

    [Fact]
    public void Threads_that_share_the_file_train_what_one_trains_alone()
    {
        var spec = Plans.Spec(MixedSpecs.Class);
        using Reading memory = new(spec, null), file = new(spec, new InputFolder(_folder.Path, 1));
        var weights = new string[spec.Members];
        Thread[] threads = [.. Enumerable.Range(0, spec.Members).Select(member => new Thread(() =>
        {
            using var training = new MemberTraining(file.Plan, member);
            weights[member] = training.TrainTo(file.Plan, file.Plan.Of(member).Steps);
        }))];
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();

        Assert.Equal(memory.Train(), weights);
    }

    [Fact]
    public void What_a_teacher_alone_labels_is_the_same()
    {
        var spec = Plans.Spec(MixedSpecs.Class) with { Distillation = new DistillationSpec { Teacher = "teacher", Mixed = 3, Validation = true } };
        using Reading memory = new(spec with { Distillation = null }, null), file = new(spec with { Distillation = null }, new InputFolder(_folder.Path, 1));

        var (expected, further) = (FurtherRows.Of(spec, memory.Data, _ => ""), FurtherRows.Of(spec, file.Data, _ => ""));

        Assert.Equal(expected.Inputs!.Span, further.Inputs!.Span);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(150)]
    public void Inputs_that_are_numbers_are_the_same_in_whatever_groups_they_are_looked_at(int mostNumbers)
    {
        var spec = Plans.Spec(MixedSpecs.Class);
        using Reading memory = new(spec, null), file = new(spec, new InputFolder(_folder.Path, 1));
        var (expected, numbers) = (NumberInputs.Of(memory.Data, memory.Plan.Split), NumberInputs.Of(file.Data, file.Plan.Split, mostNumbers));
        Assert.True(expected.Count > 1);
        Assert.Equal(expected.Select(number => number.Place), numbers.Select(number => number.Place));
        Assert.Equal(expected.Select(number => number.Edges), numbers.Select(number => number.Edges));
    }

    /// <summary>Where the system could not take the room of the file at once.</summary>
    [Fact]
    public void A_disk_that_is_full_when_rows_are_written_leaves_them_to_memory_and_where_it_has_no_room_a_later_time()
    {
        var spec = Plans.Spec(MixedSpecs.Class);
        using var memory = new Reading(spec, null);
        var told = new List<string>();
        var folders = new DataFolders { Large = new InputFolder(_folder.Path, 1, (table, reason) => told.Add($"{table}: {reason}")) };
        using (FileOperations.Observe(_folder.Path, (operation, _) => throw new IOException(operation == "append" ? "No space left on device." : operation)))
        {
            using var data = new MixedTables().Load(folders, spec, null);
            Assert.Equal(memory.Data.Train.Inputs(), data.Train.Inputs());
            Assert.Equal(memory.Data.Test.Targets, data.Test.Targets);
            Assert.StartsWith($"mixed: The table's inputs cannot be written to a file in {_folder.Path}: No space left on device. ", Assert.Single(told));

            Assert.Throws<StorageAwayException>(() => new MixedTables(available: MixedTables.Rows * sizeof(float)).Load(folders, spec, null));
        }

        using var later = new MixedTables(available: MixedTables.Rows * sizeof(float)).Load(folders, spec, null);
        Assert.NotEmpty(later.Train.RoomFor(1));
        Assert.Single(told);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    /// <summary>The last rows are written when all have been read, those that train and then those that test.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_disk_that_is_full_at_the_end_leaves_no_file_open(int append)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Files without a name are found by their descriptors.");
        var (spec, folders, appends) = (Plans.Spec(MixedSpecs.Class), new DataFolders { Large = new InputFolder(_folder.Path, 1) }, 0);
        using (FileOperations.Observe(_folder.Path, (operation, _) =>
        {
            if (operation == "append" && ++appends == append) throw new IOException("No space left on device.");
        }))
        {
            Assert.Throws<StorageAwayException>(() => new MixedTables(available: MixedTables.Rows * sizeof(float)).Load(folders, spec, null));
        }

        Assert.Equal(append, appends);
        Assert.Equal(0, FilesWithoutName());
        using var data = new MixedTables().Load(folders, spec, null);
        Assert.Equal(2, FilesWithoutName());
    }

    /// <summary>Of long tables each list counts: those of the rows that train are made when they are asked for.</summary>
    [Fact]
    public void The_rows_that_train_are_found_without_a_list_of_them()
    {
        using var reading = new Reading(Plans.Spec(MixedSpecs.Class), null);
        foreach (var split in (ValidationSplit[])[reading.Plan.Split, new(10, []), new(10, [0, 1, 9]), new(10, [4, 5, 6]), new(3, [0, 2])])
        {
            var list = new int[split.TrainingCount];
            split.List(list);
            Assert.Equal(split.Training, list);
            Assert.Equal(split.Training, Enumerable.Range(0, split.TrainingCount).Select(split.TrainingRow));
            Assert.Equal(Enumerable.Range(0, split.Rows).Except(split.Validation), list);
        }
    }

    /// <summary>Of the folder, that this process has open.</summary>
    private int FilesWithoutName() => Directory.EnumerateFileSystemEntries("/proc/self/fd").Count(
        link => new FileInfo(link).LinkTarget?.StartsWith(_folder.Path, StringComparison.Ordinal) == true);

    private sealed class Reading : IDisposable
    {
        private readonly List<Snapshot> _snapshots = [];

        public Reading(EnsembleSpec spec, InputFolder? large)
        {
            Data = new MixedTables().Load(new DataFolders { Large = large }, spec, null);
            Plan = new TrainingPlan(spec, Data, new NetworkRegistry());
        }

        public Dataset Data { get; }

        public TrainingPlan Plan { get; }

        public string[] Train()
        {
            _snapshots.AddRange(EnsembleTraining.Run(Plan, cancellation: TestContext.Current.CancellationToken));
            return [.. _snapshots.Select(snapshot => snapshot.Weights.Sha256())];
        }

        public double[][] Answers(DataPart part) => [.. from snapshot in _snapshots
            from rows in RowRange.Of(Plan, part)
            select Plan.Predict(Predictors.Create(Plan, snapshot.Weights, snapshot.Member, 0), snapshot.Member, rows)];

        public void Dispose()
        {
            foreach (var snapshot in _snapshots) snapshot.Weights.Dispose();
            Data.Dispose();
        }
    }
}
