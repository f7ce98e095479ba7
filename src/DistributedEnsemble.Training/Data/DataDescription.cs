using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Training.Images;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Tables;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Data;

/// <summary>Rows of each split.</summary>
public sealed record SplitSizes(long Train, long Validation, long Test);

/// <summary>
/// What a run knows of its data (data.json): enough to check that the data is still the same, and to preprocess raw rows
/// without it.
/// </summary>
public sealed record DataDescription
{
    /// <summary>Characters of a column's or a class's name: it is in every description, and a class's name in every answer.</summary>
    public const int LongestName = 256;

    private const int CurrentVersion = 3;

    private static (IReadOnlyDictionary<string, Type> Tasks, JsonSerializerOptions Json) s_format;

    private static JsonSerializerOptions FormatOfTasks() => new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        // Labels stay readable; the file is never part of a page.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.Strict,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
        AllowOutOfOrderMetadataProperties = true,
        PropertyNameCaseInsensitive = false,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { TableDescription.NameKinds, TaskRegistry.NameTasks } },
    };

    /// <summary>That of the tasks that are known now: what was made for fewer of them knows no others.</summary>
    private static JsonSerializerOptions Format
    {
        get
        {
            var (format, tasks) = (s_format, TaskRegistry.All);
            if (format.Json is null || !ReferenceEquals(format.Tasks, tasks)) s_format = format = (tasks, FormatOfTasks());
            return format.Json;
        }
    }

    /// <summary>The name of the task that a description names, whether it is known here or not; null of former ones, which were classifications.</summary>
    public static string? TaskOf(string json) => (string?)JsonNode.Parse(json)?["task"]?["name"];

    /// <summary>
    /// 1 of runs whose columns were all numbers and whose tasks were all classifications; 2 of those whose encoders had seen the
    /// validation rows.
    /// </summary>
    public int Version { get; init; } = 1;

    public required string Dataset { get; init; }

    /// <inheritdoc cref="Dataset.Sha256"/>
    public required string Sha256 { get; init; }

    /// <summary>Of one row: [features] or [channels, height, width].</summary>
    public required long[] InputShape { get; init; }

    /// <summary>The features' names: of a table's columns, or of the numbers of a row.</summary>
    public required string[] Columns { get; init; }

    /// <summary>What each column of a table is, and how it becomes inputs; null of other data.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TableDescription? Table { get; init; }

    /// <summary>The inputs that are numbers of many values, where a network embeds them; null where none does.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public NumberInput[]? Numbers { get; init; }

    /// <summary>How images became inputs; null of other data.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImageDescription? Images { get; init; }

    /// <summary>What is predicted.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public LearningTask Task { get; init; } = null!;

    /// <summary>How runs were described that could only be classifications; read and never written.</summary>
    [JsonInclude, JsonPropertyName("classes"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    private string[]? FormerClasses { get; init; }

    /// <inheritdoc cref="FormerClasses"/>
    [JsonInclude, JsonPropertyName("labelColumn"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    private string? FormerTarget { get; init; }

    /// <inheritdoc cref="Preprocessing.Mean"/>
    public float[]? Mean { get; init; }
    public float[]? Deviation { get; init; }
    public required float Scale { get; init; }
    public required SplitSizes Splits { get; init; }

    /// <summary>What the network is given.</summary>
    [JsonIgnore]
    public NetworkInputs Inputs => new(InputShape, TableDescription.Embedded(Features))
    {
        Numbers = new(Numbers ?? []),
        Features = Table is null ? [] : [.. Features.Select(feature => feature.Inputs)],
    };

    /// <summary>What makes numbers of a row's cells, in the order of the inputs. <see cref="Preprocessing"/> follows.</summary>
    [JsonIgnore]
    public IEnumerable<ColumnEncoder> Features => Table?.Features ?? Columns.Select(name => new PlainNumberColumn { Name = name });

    /// <summary>What makes inputs of raw rows.</summary>
    [JsonIgnore]
    public Preprocessing Preprocessing => new(Mean, Deviation, Scale);

    /// <summary>What a run of a plan knows.</summary>
    /// <inheritdoc cref="Of(Dataset, long)"/>
    public static DataDescription Of(TrainingPlan plan)
    {
        var description = Of(plan.Dataset, plan.Split.Validation.Length);
        return Enumerable.Range(0, plan.Spec.Members).All(member => plan.Spec.OfMember(member).Model.NumericEmbedding is null)
            ? description
            : description with { Numbers = [.. plan.Inputs.Numbers.Value] };
    }

    /// <param name="validation">How many of the training rows are the validation split.</param>
    /// <exception cref="DataException">A name is too long.</exception>
    public static DataDescription Of(Dataset dataset, long validation)
    {
        CheckNames(dataset);
        return Described(dataset, validation);
    }

    private static DataDescription Described(Dataset dataset, long validation) => new()
    {
        Version = CurrentVersion,
        Dataset = dataset.Name,
        Sha256 = dataset.Sha256,
        InputShape = dataset.InputShape,
        Columns = [.. dataset.Columns],
        Table = dataset.Table,
        Images = dataset.Images,
        Task = dataset.Task,
        Mean = dataset.Preprocessing.Mean,
        Deviation = dataset.Preprocessing.Deviation,
        Scale = dataset.Preprocessing.Scale,
        Splits = new SplitSizes(dataset.Train.Count - validation, validation, dataset.Test.Count),
    };

    /// <summary>How the data is read, as a hash: the same of runs that may share it.</summary>
    internal string Reading => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes((this with { Dataset = "", Numbers = null, Splits = new SplitSizes(0, 0, 0) }).ToJson())));

    /// <summary>The <see cref="Reading"/> of runs that record this dataset.</summary>
    internal static string ReadingOf(Dataset dataset) => Described(dataset, 0).Reading;

    public string ToJson() => JsonSerializer.Serialize(this, Format) + "\n";

    /// <param name="file">What errors call it.</param>
    /// <exception cref="DataException">The text is no valid description.</exception>
    public static DataDescription FromJson(string json, string file = "data.json")
    {
        try
        {
            var description = JsonSerializer.Deserialize<DataDescription>(json, Format)?.InTodaysForm();
            var fault = description is null ? "it says null" : description.Fault();
            return fault is null ? description! : throw new DataException($"{file} is damaged: {fault}.");
        }
        catch (Exception e) when (e is NotSupportedException or JsonException { Path: "$.task" or "$.task.name" })
        {
            throw new DataException(
                UnknownTask(json) is { } name
                    ? $"{file} names the task {OneLine.Quoted(name)}: known here are {string.Join(", ", TaskRegistry.All.Keys)}. A host's own task is known to the program that registered it: ask there."
                    : $"{file} is damaged: its task is none.", e);
        }
        catch (JsonException e)
        {
            throw new DataException($"{file} is damaged: it is not the JSON of a data description (line {e.LineNumber + 1}, at {e.Path}).", e);
        }
    }

    /// <summary>The name of a task of another program; null if what is wrong is another thing.</summary>
    private static string? UnknownTask(string json)
    {
        try
        {
            return TaskOf(json) is { } name && !TaskRegistry.All.ContainsKey(name) ? name : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            return null;
        }
    }

    private DataDescription InTodaysForm() => Task is null && FormerClasses is not null
        ? this with { Task = new Classification(FormerClasses) { Target = FormerTarget }, FormerClasses = null, FormerTarget = null }
        : this;

    /// <summary>Runs that were described before names had a limit are read all the same.</summary>
    private static void CheckNames(Dataset dataset)
    {
        Check("column", dataset.Columns);
        if (dataset.Task is Classification { Classes: var classes }) Check("class", classes);

        void Check(string what, IReadOnlyList<string> names)
        {
            if (names.FirstOrDefault(name => name.Length > LongestName) is { } name)
                throw new DataException($"{dataset.Name}: the {what} {OneLine.Quoted(name)} has a name of {name.Length:N0} characters: it may have up to {LongestName}.");
        }
    }

    private string? Fault()
    {
        var width = Width();
        return (Sha256.Length != 64 || Sha256.Any(c => !char.IsAsciiHexDigitLower(c))) ? "sha256 is not 64 lower-case hexadecimal digits"
            : InputShape.Length is not (1 or 3) || width == 0 ? "inputShape is not [features] or [channels, height, width]"
            : Version is < 1 or > CurrentVersion ? $"its version is {Version}, and this program knows {CurrentVersion}"
            : Table?.Fault() is { } table ? table
            : Numbers?.Select(number => number is null ? "a number is null" : number.Fault(width)).FirstOrDefault(fault => fault is not null) is { } number ? number
            : Table is not null && Table.Features.Sum(feature => (long)feature.Inputs) != width ? "its table has more or fewer inputs than inputShape says"
            : Table is null && Columns.Length != width ? $"it names {Columns.Length} columns, but a row has {width} numbers"
            : !Distinct(Columns) ? "columns are not distinct names"
            : Task is null ? "it does not say what is predicted"
            : Task.Fault() is { } fault ? fault
            : (Mean is null) != (Deviation is null) ? "only one of mean and deviation is there"
            : Mean is not null && (Mean.Length != width || !Mean.All(float.IsFinite)) ? $"mean is not {width} finite numbers"
            : Deviation is not null && (Deviation.Length != width || !Deviation.All(IsPositive)) ? $"deviation is not {width} numbers above 0"
            : !IsPositive(Scale) ? "scale is not above 0"
            : Splits.Train < 1 || Splits.Validation < 0 || Splits.Test < 0 ? "splits are not sizes, or there is nothing to train on"
            : null;
    }

    /// <summary>Numbers of one row; 0 if the shape is not one of real rows.</summary>
    private long Width()
    {
        Int128 width = 1;
        foreach (var size in InputShape)
        {
            if (size < 1) return 0;
            width *= size;
            if (width > int.MaxValue) return 0;
        }

        return (long)width;
    }

    private static bool Distinct(string[] names) => names.All(name => name is not null) && names.Distinct().Count() == names.Length;

    private static bool IsPositive(float number) => number > 0 && float.IsFinite(number);
}
