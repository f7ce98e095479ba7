using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>
/// The tasks that the description of data can name: the built-in ones, and those that the host adds. They are the process's, as
/// whatever reads a description must know what it names; a dataset of the host's own brings them.
/// </summary>
public static class TaskRegistry
{
    private static readonly Lock s_lock = new();
    private static ImmutableSortedDictionary<string, Type> s_tasks = ImmutableSortedDictionary<string, Type>.Empty
        .Add(Classification.TaskName, typeof(Classification)).Add(Regression.TaskName, typeof(Regression));

    /// <summary>What a task says of itself, and no file says of the task.</summary>
    private static readonly string[] s_computed =
        [.. typeof(LearningTask).GetProperties().Where(property => property.IsDefined(typeof(JsonIgnoreAttribute), inherit: false)).Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name))];

    /// <summary>All of them, by name.</summary>
    public static IReadOnlyDictionary<string, Type> All => s_tasks;

    /// <summary>Adds a task of one's own: a record whose <see cref="LearningTask.Name"/> is this, and whose parameters are written to data.json.</summary>
    /// <exception cref="ArgumentException">The name, or the type, is another's.</exception>
    public static void Add<TTask>(string name) where TTask : LearningTask
    {
        lock (s_lock)
        {
            var isKnown = s_tasks.TryGetValue(name, out var type);
            if (isKnown ? type != typeof(TTask) : s_tasks.ContainsValue(typeof(TTask)))
                throw new ArgumentException($"The task \"{name}\" is {(isKnown ? $"{type} already" : $"{typeof(TTask)}, which has another name already")}.", nameof(name));
            s_tasks = s_tasks.SetItem(name, typeof(TTask));
        }
    }

    /// <summary>Lets JSON name the type of a task.</summary>
    internal static void NameTasks(JsonTypeInfo type)
    {
        // Overrides do not inherit what their base says of JSON.
        if (type.Type.IsAssignableTo(typeof(LearningTask)))
            foreach (var property in type.Properties.Where(property => s_computed.Contains(property.Name)).ToArray()) type.Properties.Remove(property);
        if (type.Type != typeof(LearningTask)) return;
        type.PolymorphismOptions = new JsonPolymorphismOptions
        {
            TypeDiscriminatorPropertyName = "name", UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization,
        };
        foreach (var (name, task) in s_tasks) type.PolymorphismOptions.DerivedTypes.Add(new JsonDerivedType(task, name));
    }
}
