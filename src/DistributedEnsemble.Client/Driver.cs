using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using DistributedEnsemble.Client.Commands;
using DistributedEnsemble.Client.Completion;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Client;

/// <summary>The program `ensemble`: reads a command line, runs the command, and turns every failure into one line.</summary>
internal sealed class Driver
{
    private readonly Consoles _consoles;
    private readonly FailureTable _failures;
    private readonly RootCommand _root = new("Trains ensembles of neural networks, and says what averaging gains over a single model.");

    public Driver(Backend backend, Consoles consoles, FailureTable failures, TimeProvider time, Func<Interruption> listen)
    {
        (_consoles, _failures) = (consoles, failures);
        var shared = new SharedOptions();
        foreach (var option in shared.All) _root.Add(option);
        _root.Add(new InspectCommand(shared, consoles, listen));
        _root.Add(new TrainCommand(backend, shared, consoles, time, listen));
        _root.Add(new ListCommand(backend, shared, consoles, listen));
        _root.Add(new StatusCommand(backend, shared, consoles, listen));
        _root.Add(new WatchCommand(backend, shared, consoles, time, listen));
        _root.Add(new StopCommand(backend, shared, consoles, time, listen));
        _root.Add(new ResumeCommand(backend, shared, consoles, time, listen));
        _root.Add(new DeleteCommand(backend, shared, consoles, listen));
        _root.Add(new EvaluateCommand(backend, shared, consoles, listen));
        _root.Add(new DistillCommand(backend, shared, consoles, time, listen));
        _root.Add(new PredictCommand(backend, shared, consoles, listen));
        _root.Add(new ServeCommand(backend, shared, consoles, listen));
        _root.Add(new ExportCommand(backend, shared, consoles, listen));
        _root.Add(new VerifyCommand(backend, shared, consoles, listen));
        _root.Add(new SignCommand(backend, shared, consoles, listen));
        _root.Add(new SpecCommand(backend, shared, consoles, listen));
        _root.Add(new ReportCommand(backend, shared, consoles, listen));
        _root.Add(new TensorBoardCommand(backend, shared, consoles, listen));
        _root.Add(new ReproduceCommand(shared, consoles, time, listen));
        _root.Add(new DatasetsCommand(backend, shared, consoles));
        _root.Add(new CompletionCommand(consoles));
        _root.Add(new CompleteCommand(new Suggestions(_root, backend, shared), consoles));
        var help = _root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
    }

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        ParseResult? parsed = null;
        try
        {
            if (arguments is [] or ["help"]) arguments = ["--help"];
            parsed = _root.Parse(arguments, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
            if (parsed.Action is ParseErrorAction) throw UsageErrors.Of(parsed);
            UsageErrors.RefuseOptionsAsValues(parsed);
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                Output = _consoles.Out.Profile.Out.Writer,
                Error = _consoles.Error.Profile.Out.Writer,
                EnableDefaultExceptionHandler = false,
                // Signals are the commands' own: a run takes a checkpoint first, however long that is.
                ProcessTerminationTimeout = null,
            });
        }
        catch (Exception exception)
        {
            var failure = _failures.Describe(exception);
            _consoles.Error.WriteRaw(FlagWords.Of(failure.Line, parsed));
            if (Environment.GetEnvironmentVariable(FailureTable.TraceVariable) == "1") _consoles.Error.WriteRaw(exception.ToString());
            return failure.ExitCode;
        }
    }
}
