using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DistributedEnsemble.Specs;

/// <summary>How the names of the code are written in a spec.</summary>
internal static class SpecNames
{
    public static string OfKey(PropertyInfo property) => JsonNamingPolicy.CamelCase.ConvertName(property.Name);

    public static string OfChoice(object value)
    {
        var name = value.ToString()!;
        return value.GetType().GetField(name)?.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? name.ToLowerInvariant();
    }

    /// <summary>A kind is a choice, or the name of something that is registered.</summary>
    public static string OfKind(object value) => value as string ?? OfChoice(value);

    /// <summary>The choices of an enum in the order of its declaration.</summary>
    public static IReadOnlyList<string> Choices(Type type) => [.. Enum.GetValues(type).Cast<object>().Select(OfChoice)];

    /// <summary>"a, b or c".</summary>
    public static string List(IReadOnlyCollection<string> names, string conjunction) => names.Count < 2
        ? string.Concat(names)
        : $"{string.Join(", ", names.SkipLast(1))} {conjunction} {names.Last()}";
}
