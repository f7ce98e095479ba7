using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace DistributedEnsemble.Client.Commands;

/// <summary>The parser's help, followed by command lines to copy.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    private static readonly string[] First = ["ensemble train", "ensemble train --dataset houses.csv --target price", "ensemble list", "ensemble predict digits-1 --input rows.csv"];

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var exitCode = help.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (var example in (parseResult.CommandResult.Command as DriverCommand)?.Examples ?? First) output.WriteLine($"  {example}");
        output.WriteLine();
        if (parseResult.CommandResult.Command is RootCommand)
        {
            output.WriteLine("Exit codes:");
            output.WriteLine("  0 done; 1 failed; 2 wrong usage, spec or data; 3 cluster unreachable;");
            output.WriteLine("  130, 143, 129 stopped by Ctrl-C, SIGTERM, SIGHUP");
            output.WriteLine();
        }
        return exitCode;
    }
}
