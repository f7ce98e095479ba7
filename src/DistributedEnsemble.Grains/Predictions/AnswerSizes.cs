namespace DistributedEnsemble.Grains.Predictions;

/// <summary>How much is asked for in one call, so that its answer makes a message: what is above 100 MB ends the connection.</summary>
internal static class AnswerSizes
{
    /// <summary>Of the answers of a call, if one constituent's are not more: several calls may be answered at once.</summary>
    private const long MostBytes = 8L << 20;

    /// <summary>Of one constituent's: of those that have more, rows are divided.</summary>
    private const long MostBytesOfOne = 32L << 20;

    /// <param name="width">Numbers of an answer to one row.</param>
    public static int Constituents(int rows, int width) => (int)Math.Clamp(MostBytes / Math.Max(1, (long)rows * width * sizeof(double)), 1, int.MaxValue);

    /// <param name="width">Numbers of an answer to one row.</param>
    public static int Rows(int width) => (int)Math.Clamp(MostBytesOfOne / Math.Max(1, (long)width * sizeof(double)), 1, int.MaxValue);
}
