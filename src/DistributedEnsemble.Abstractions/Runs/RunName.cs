using System.Text.RegularExpressions;

namespace DistributedEnsemble.Runs;

/// <summary>The rule for names of runs: they are folder names, parts of addresses and of grain keys.</summary>
public static partial class RunName
{
    public const string Rule = "a name has 1 to 63 characters of a-z, 0-9 and -, and starts with a letter or digit";

    internal const string Expression = @"\A[a-z0-9][a-z0-9-]{0,62}\z";

    public static bool IsValid(string name) => Pattern().IsMatch(name);

    /// <summary>The nearest valid name that leaves room for a number: lower-case letters and digits stay, the rest becomes a dash.</summary>
    public static string From(string text)
    {
        var plain = new string([.. text.ToLowerInvariant().Select(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) ? c : '-')]).Trim('-');
        return plain.Length == 0 ? "run" : plain[..Math.Min(plain.Length, 50)];
    }

    [GeneratedRegex(Expression)]
    private static partial Regex Pattern();
}
