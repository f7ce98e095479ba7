using DistributedEnsemble.Messages;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Training.Predictions;

/// <summary>Answers to all rows of a part, side by side: [rows, width].</summary>
internal static class AnswerArray
{
    /// <exception cref="SpecException">They are more than can stand side by side.</exception>
    public static double[] New(long rows, int width) => new double[Length(rows, width)];

    /// <inheritdoc cref="New"/>
    public static int Length(long rows, int width)
    {
        var numbers = (Int128)rows * width;
        return numbers <= Array.MaxLength ? (int)numbers : throw new SpecException(
            $"{rows:N0} {Plural.Of(rows, "row")} with {width:N0} {Plural.Of(width, "answer")} each are {numbers:N0} numbers, and {Array.MaxLength:N0} can be measured together: "
            + "take fewer rows for data.validationFraction, or a smaller data.test.");
    }
}
