using System.CommandLine;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Client.Commands;

/// <summary>What standard error says of a run that did not simply complete, with the way on.</summary>
internal static class RunEndings
{
    /// <returns>Null if there is nothing to say.</returns>
    public static string? Line(RunStatus status, ParseResult parsed, SharedOptions shared)
    {
        var because = status.Reason is null ? "" : $": {OneLine.Of(status.Reason)}";
        return status.State switch
        {
            RunState.Paused => $"Run \"{status.Run}\" is paused at step {Words.Count(status.Steps)} of {Words.Count(status.StepsTotal)}{because}\n" +
                $"Go on with: {shared.Suggest(parsed, $"resume {status.Run}")}",
            RunState.Failed => $"Run \"{status.Run}\" failed{because}",
            RunState.Degraded => $"Run \"{status.Run}\" is degraded{because}",
            RunState.Queued or RunState.Running or RunState.Completed => null,
        };
    }
}
