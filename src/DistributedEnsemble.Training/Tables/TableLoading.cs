using System.Security.Cryptography;
using DistributedEnsemble.Files;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tables;

/// <summary>
/// Makes samples of a table. A file is read three to five times, first to know its columns, then into memory that is allocated
/// once, or into a file: a table of any length takes little more than its inputs, or than its targets.
/// </summary>
internal static class TableLoading
{
    /// <param name="test">The table that tests; null takes every fifth row.</param>
    /// <param name="recorded">How a run that was started before reads the table; null looks.</param>
    /// <param name="large">Where inputs lie that are too many for memory; null keeps all there.</param>
    /// <param name="available">Bytes of memory; null asks the system.</param>
    /// <exception cref="DataException">The table cannot be learned from.</exception>
    /// <exception cref="StorageAwayException">There is no room left for its inputs, and may be later.</exception>
    public static Dataset Load(
        TableFile file, TableFile? test, string name, EnsembleSpec spec, DataDescription? recorded, InputFolder? large = null, long? available = null)
    {
        var sha256 = Sha256(file, test);
        if (recorded is not null && recorded.Sha256 == sha256) return Load(file, test, Reading.Of(recorded, file), name, sha256, large, available);
        var survey = TableSurvey.Of(file, spec, test is not null);
        return Load(file, test, Reading.Of(survey), name, sha256, large, available);
    }

    private static Dataset Load(TableFile file, TableFile? test, Reading reading, string name, string sha256, InputFolder? large, long? available)
    {
        var width = reading.Features.Sum(feature => feature.Inputs);
        var (train, tests) = reading.Sizes ?? Count(file, reading, isSplit: test is null);
        if (test is not null) tests = Count(test, reading, isSplit: false).Train;
        try
        {
            return Load(file, test, reading, name, sha256, width, [train, tests], large, available);
        }
        // Where the system could not take the room at once, others may have taken it since.
        catch (StorageAwayException exception) when (TrainingMemory.BytesOfData(train + tests, width) <= (available ?? TrainingMemory.Available()))
        {
            large?.Tell?.Invoke(name, exception.Message.TrimEnd('.'));
            return Load(file, test, reading, name, sha256, width, [train, tests], large: null, available);
        }
    }

    /// <param name="sizes">Rows that train and that test.</param>
    private static Dataset Load(
        TableFile file, TableFile? test, Reading reading, string name, string sha256, int width, long[] sizes, InputFolder? large, long? available)
    {
        var (unseen, unfit) = (new UnseenClasses(), new UnfitCells());
        var parts = SampleMemory.Of(name, width, reading.Preprocessing, sizes, large, available);
        using var train = parts[0];
        using var tests = parts[1];
        Fill(file, reading, train, test is null ? tests : null, unseen, unfit);
        if (test is not null) Fill(test, reading, null, tests, unseen, unfit);
        // Before either part is given away: a disk that is full then leaves nothing behind.
        train.Flush();
        tests.Flush();
        long[] shape = [width];
        var notes = reading.Table.Notes.Concat(unseen.Notes).Concat(unfit.Notes).Concat(Unmeasured(reading.Target.Task, tests.Targets)).Distinct();
        return new Dataset
        {
            Name = name,
            Sha256 = sha256,
            InputShape = shape,
            Embedded = TableDescription.Embedded(reading.Features),
            Columns = [.. reading.Features.Select(feature => feature.Name)],
            Task = reading.Target.Task,
            Preprocessing = reading.Preprocessing,
            Table = reading.IsPlain ? null : reading.Table with { Notes = [.. notes] },
            Defaults = TableDefaults.For(sizes[0], reading.Target.Task),
            Train = train.ToSamples(),
            Test = tests.ToSamples(),
        };
    }

    private static void Fill(TableFile file, Reading reading, SampleMemory? train, SampleMemory? test, UnseenClasses unseen, UnfitCells unfit)
    {
        using var rows = file.Read(reading.FormatOf(file));
        var target = NamedColumns.Place(rows.Columns, reading.Target.Name, "the target", file.Name);
        var features = FeatureCells.Match(rows.Columns, reading.Features, file.Name);
        for (var row = 0L; rows.Read();)
        {
            var cell = rows[target];
            if (cell.IsMissing) continue;
            var memory = train is null ? test! : test is not null && TableSurvey.IsTest(row) ? test : train;
            row++;
            var value = reading.Target.Read(cell, out var reason);
            if (reason is not null) throw rows.Error(target, reason);
            if (value is { } known) features.Encode(rows, memory.Add(known), memory == test ? unfit : null);
            else unseen.Add(cell.ToString());
        }
    }

    /// <summary>Classes that no test row has.</summary>
    private static IEnumerable<string> Unmeasured(LearningTask task, ReadOnlySpan<float> targets)
    {
        if (task is not Classification { Classes: var classes }) return [];
        var tested = new HashSet<float>(targets.ToArray());
        var missing = classes.Where((_, place) => !tested.Contains(place)).ToArray();
        const int MostNamed = 5;
        return missing.Length == 0 ? [] :
            [$"No test row has the {(missing.Length == 1 ? "class" : "classes")} {string.Join(", ", missing.Take(MostNamed).Select(name => OneLine.Quoted(name)))}{(missing.Length > MostNamed ? ", …" : "")}: the measures say nothing of {(missing.Length == 1 ? "it" : "them")}."];
    }

    /// <param name="isSplit">Whether every fifth row tests; else all count as training rows.</param>
    private static (long Train, long Test) Count(TableFile file, Reading reading, bool isSplit)
    {
        using var rows = file.Read(reading.FormatOf(file));
        var target = NamedColumns.Place(rows.Columns, reading.Target.Name, "the target", file.Name);
        var (train, test) = (0L, 0L);
        for (var row = 0L; rows.Read();)
        {
            if (rows[target].IsMissing) continue;
            if (isSplit && TableSurvey.IsTest(row++)) test++;
            else train++;
        }

        return (train, test);
    }

    /// <summary>Over the bytes of the file, and then those of the test table.</summary>
    private static string Sha256(TableFile file, TableFile? test)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (test is null) return Convert.ToHexStringLower(file.Sha256());
        hash.AppendData(file.Sha256());
        hash.AppendData(test.Sha256());
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>How a table is read: as it was just surveyed, or as a run recorded it.</summary>
    private sealed record Reading(
        TableDescription Table, TargetColumn Target, IReadOnlyList<ColumnEncoder> Features, Preprocessing Preprocessing, (long Train, long Test)? Sizes)
    {
        /// <summary>Whether the run is from before columns had kinds.</summary>
        public bool IsPlain { get; private init; }

        private TableFile? File { get; init; }

        public static Reading Of(TableSurvey survey) => new(
            survey.Description, survey.Target, [.. survey.Description.Features], Preprocessing.None, (survey.TrainRows, survey.TestRows));

        public static Reading Of(DataDescription recorded, TableFile file)
        {
            var target = TargetColumn.Of(recorded.Task, recorded.Task.Target!);
            return recorded.Table is { } table
                ? new Reading(table with { Format = file.Detect(table.Format.Header) }, target, [.. table.Features], Preprocessing.None, null) { File = file }
                : new Reading(
                    new TableDescription(TableFormat.Plain, [], 0, []), target, [.. recorded.Features], recorded.Preprocessing, null) { File = file, IsPlain = true };
        }

        /// <summary>A test table has a dialect of its own.</summary>
        public TableFormat FormatOf(TableFile file) => Sizes is null && file == File ? Table.Format : file.Detect(Table.Format.Header);
    }

    /// <summary>Test rows of classes that no training row has.</summary>
    private sealed class UnseenClasses
    {
        private const int MostNamed = 5;
        private readonly Dictionary<string, int> _counts = [];

        public void Add(string label) => _counts[label] = _counts.GetValueOrDefault(label) + 1;

        public IEnumerable<string> Notes => _counts.Count == 0 ? [] :
        [
            $"{_counts.Values.Sum():N0} test {(_counts.Values.Sum() == 1 ? "row has a class" : "rows have classes")} that no training row has "
            + $"({string.Join(", ", _counts.Keys.Take(MostNamed))}{(_counts.Count > MostNamed ? ", …" : "")}): nothing can learn {(_counts.Count == 1 ? "it" : "them")}, and the measures are without.",
        ];
    }
}
