using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Distillation;

namespace DistributedEnsemble.Training.Tests.Distillation;

public sealed class FurtherRowsTests
{
    [Fact]
    public void Mixed_rows_that_no_run_can_have_are_refused_in_one_line()
    {
        var distillation = new DistillationSpec { Teacher = "teacher", Mixed = 100 };

        var error = Assert.Throws<DataException>(() => FurtherRows.CountOf(distillation, unlabelled: 0, validation: 0, training: 60_000_000));

        Assert.Equal("distillation.mixed is 100: that makes 6,000,000,000 rows of 60,000,000 training rows, and a run has at most 2,147,483,647 (take fewer).", error.Message);
    }
}
