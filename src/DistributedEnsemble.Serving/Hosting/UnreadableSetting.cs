using System.Text.RegularExpressions;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Serving.Hosting;

/// <summary>What is said of a setting whose text is not what it takes: the binder tells it in .NET's words.</summary>
internal static partial class UnreadableSetting
{
    /// <param name="section">Where the settings are that were read.</param>
    public static string InWords(InvalidOperationException exception, string section)
    {
        if (Told().Match(exception.Message) is not { Success: true } told)
            return $"A setting of ENSEMBLE__{section.ToUpperInvariant()} cannot be read: {OneLine.Of(exception.Message)}";
        var takes = told.Groups["type"].Value switch
        {
            "Int32" or "Int64" => "a whole number",
            "Boolean" => "true or false",
            "TimeSpan" => "a time, as in 00:00:05",
            _ => "a number",
        };
        return $"{told.Groups["path"].Value.Replace(":", "__", StringComparison.Ordinal).ToUpperInvariant()} is {OneLine.Excerpt(told.Groups["value"].Value)}: it takes {takes}.";
    }

    [GeneratedRegex("""value '(?<value>.*)' at '(?<path>[^']*)' to type 'System\.(?:Nullable`1\[System\.)?(?<type>Int32|Int64|Double|Single|Boolean|TimeSpan)\]?'""", RegexOptions.Singleline)]
    private static partial Regex Told();
}
