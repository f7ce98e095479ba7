using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Serving.Runs;

/// <summary>What helps whoever was refused, as a request to this server.</summary>
internal static class Remedies
{
    public static string Line(RunRejectedException refused) => Of(refused) is { } way ? $"{refused.Message} {way}" : refused.Message;

    private static string? Of(RunRejectedException refused) => refused.Remedy switch
    {
        RunRemedy.None => null,
        RunRemedy.Watch => $"GET /api/runs/{refused.Run}/events follows it.",
        RunRemedy.WatchOrStop => $"GET /api/runs/{refused.Run}/events follows it; it is stopped where it was started.",
        RunRemedy.StopThenDelete => $"POST /api/runs/{refused.Run}/stop stops it.",
        RunRemedy.ResumeOrRename => $"POST /api/runs/{refused.Run}/resume resumes it; or choose another name.",
        RunRemedy.DeleteOrRename => "Choose another name.",
        RunRemedy.Evaluate => $"POST /v2/models/{refused.Run}/infer asks it for predictions.",
    };
}
