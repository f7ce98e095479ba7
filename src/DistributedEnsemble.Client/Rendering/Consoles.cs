using Spectre.Console;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>Standard output and standard error.</summary>
internal sealed record Consoles(IAnsiConsole Out, IAnsiConsole Error)
{
    /// <summary>Whether a person sits at standard input and standard error, and can be asked there.</summary>
    public bool CanAsk { get; init; }

    public static Consoles OfThisProcess()
    {
        // As https://no-color.org has it: any value but none. Spectre takes an empty one for a value.
        if (Environment.GetEnvironmentVariable("NO_COLOR") is "") Environment.SetEnvironmentVariable("NO_COLOR", null);
        return new Consoles(Create(Console.Out, Console.IsOutputRedirected), Create(Console.Error, Console.IsErrorRedirected))
        {
            CanAsk = !Console.IsInputRedirected && !Console.IsErrorRedirected,
        };
    }

    /// <summary>Where progress goes: beside the results, unless these are for a program.</summary>
    public IAnsiConsole Progress(bool json) => json ? Error : Out;

    private static IAnsiConsole Create(TextWriter writer, bool redirected)
    {
        var terminal = !redirected && Environment.GetEnvironmentVariable("TERM") != "dumb";
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            // Left to itself, Spectre writes colours into files on some build servers.
            Ansi = terminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = terminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = terminal ? InteractionSupport.Yes : InteractionSupport.No,
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        // A file has no width at which a table should wrap.
        if (!terminal) console.Profile.Width = 200;
        return console;
    }
}

internal static class ConsoleLines
{
    /// <summary>Writes a line as it is: never wrapped, never read as markup.</summary>
    public static void WriteRaw(this IAnsiConsole console, string line)
    {
        console.Profile.Out.Writer.WriteLine(line);
        console.Profile.Out.Writer.Flush();
    }

    /// <summary>Whether text that was written can be replaced.</summary>
    public static bool IsInteractive(this IAnsiConsole console) =>
        console.Profile.Capabilities is { Interactive: true, Ansi: true };
}
