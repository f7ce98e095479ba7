using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Training.Tests.Predictions;

public sealed class AnswerArrayTests
{
    [Fact]
    public void Answers_that_cannot_stand_side_by_side_are_refused_with_their_number() => Assert.Equal(
        "3,000,000 rows with 1,000 answers each are 3,000,000,000 numbers, and 2,147,483,591 can be measured together: "
        + "take fewer rows for data.validationFraction, or a smaller data.test.",
        Assert.Throws<SpecException>(() => AnswerArray.Length(3_000_000, 1000)).Message);

    [Fact]
    public void As_many_as_an_array_takes_can() => Assert.Equal(Array.MaxLength, AnswerArray.Length(Array.MaxLength, 1));
}
