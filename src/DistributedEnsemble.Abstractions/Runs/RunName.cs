using System.Text.RegularExpressions;

namespace DistributedEnsemble;

/// <summary>The rule for names of runs: they are folder names, parts of addresses and of grain keys.</summary>
public static partial class RunName
{
    public const string Rule = "a name has 1 to 63 characters of a-z, 0-9 and -, and starts with a letter or digit";

    internal const string Expression = @"\A[a-z0-9][a-z0-9-]{0,62}\z";

    public static bool IsValid(string name) => Pattern().IsMatch(name);

    [GeneratedRegex(Expression)]
    private static partial Regex Pattern();
}
