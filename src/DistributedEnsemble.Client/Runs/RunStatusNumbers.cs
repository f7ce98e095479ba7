namespace DistributedEnsemble.Client.Runs;

internal static class RunStatusNumbers
{
    /// <summary>T: all members of a run do the same number of steps.</summary>
    public static long StepsPerMember(this RunStatus status) =>
        status.Members.IsDefaultOrEmpty ? 0 : status.StepsTotal / status.Members.Length;

    public static double MemberStepsPerSecond(this RunStatus status) =>
        status.TrainSeconds > 0 ? status.Steps / status.TrainSeconds : 0;
}
