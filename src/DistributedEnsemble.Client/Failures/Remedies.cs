using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Client.Failures;

/// <summary>What helps whoever was refused, as a command of the driver.</summary>
internal static class Remedies
{
    public static string Line(RunRejectedException refused) => Of(refused) is { } way ? $"{refused.Message} {way}" : refused.Message;

    private static string? Of(RunRejectedException refused) => refused.Remedy switch
    {
        RunRemedy.None => null,
        RunRemedy.Watch => $"Watch it with `ensemble watch {refused.Run}`.",
        RunRemedy.WatchOrStop => $"Watch it with `ensemble watch {refused.Run}`, or stop it with `ensemble stop {refused.Run}`.",
        RunRemedy.StopThenDelete => $"Stop it with `ensemble stop {refused.Run}`, then delete it.",
        RunRemedy.ResumeOrRename => $"Resume it with `ensemble resume {refused.Run}`, or choose another --name.",
        RunRemedy.DeleteOrRename => $"Delete it with `ensemble delete {refused.Run}`, or train under another --name.",
        RunRemedy.Evaluate => $"Evaluate it with `ensemble evaluate {refused.Run}`.",
    };
}
