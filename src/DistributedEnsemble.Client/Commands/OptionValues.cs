using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace DistributedEnsemble.Client.Commands;

/// <summary>Reads the values of options; an error names the option, the value and the rule.</summary>
internal static class OptionValues
{
    /// <summary>Lets an option refuse an empty name, as an unset variable of a script gives it.</summary>
    /// <param name="what">That it names.</param>
    public static void RefuseEmpty(this Option option, string what) => option.Validators.Add(result =>
    {
        if (result.Tokens is [.., { Value: "" }]) result.AddError($"{option.Name} is \"\": it takes the name of {what}.");
    });

    public static int? WholeNumber(ArgumentResult result, string option, string what, int from, int to)
    {
        var text = result.Tokens[^1].Value;
        if (int.TryParse(text, out var number) && number >= from && number <= to) return number;
        result.AddError($"{option} is {text}: {what} is a whole number from {from} to {to}.");
        return null;
    }

    public static double? Share(ArgumentResult result, string option, string what)
    {
        var text = result.Tokens[^1].Value;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 1) return number;
        result.AddError($"{option} is {text}: {what} is a number above 0 and below 1.");
        return null;
    }

    public static double? Probability(ArgumentResult result, string option, string ofZero)
    {
        var text = result.Tokens[^1].Value;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is >= 0 and < 1) return number;
        result.AddError($"{option} is {text}: a probability is a number from 0, which {ofZero}, and below 1.");
        return null;
    }

    public static T? OneOf<T>(ArgumentResult result, string option) where T : struct, Enum
    {
        var text = result.Tokens[^1].Value;
        var names = Enum.GetNames<T>().Select(name => name.ToLowerInvariant()).ToArray();
        var index = Array.IndexOf(names, text);
        if (index >= 0) return Enum.GetValues<T>()[index];
        result.AddError($"{option} is {text}: it is one of {string.Join(", ", names)}.");
        return null;
    }
}
