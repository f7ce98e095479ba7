using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Client.Runs;

internal static class RunStatusNumbers
{
    public static double MemberStepsPerSecond(this RunStatus status) =>
        status.TrainSeconds > 0 ? status.Steps / status.TrainSeconds : 0;
}
