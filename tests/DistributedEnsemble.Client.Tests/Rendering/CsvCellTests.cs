using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Client.Tests.Rendering;

public sealed class CsvCellTests
{
    [Theory]
    [InlineData("setosa", "setosa")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("say \"a\"", "\"say \"\"a\"\"\"")]
    [InlineData("two\nlines", "\"two\nlines\"")]
    [InlineData("=HYPERLINK(\"http://evil.example\",A1)", "\"'=HYPERLINK(\"\"http://evil.example\"\",A1)\"")]
    [InlineData("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0")]
    [InlineData("-2+3", "'-2+3")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\t=1", "'\t=1")]
    [InlineData("\r=1", "\"'\r=1\"")]
    [InlineData("-1", "-1")]
    [InlineData("+0.5e3", "+0.5e3")]
    [InlineData("", "")]
    public void A_cell_is_quoted_where_csv_needs_it_and_never_a_formula(string text, string cell) => Assert.Equal(cell, CsvCell.Of(text));

    [Fact]
    public void Predictions_hold_no_formula_whatever_the_classes_are_named()
    {
        using var writer = new StringWriter();

        PredictionWriters.Csv(writer, Predicted.Of(new Classification(["=1+1", "b"]), [0.75, 0.25, 0.56]));

        Assert.StartsWith("label,entropy,p(=1+1),p(b)\n'=1+1,", writer.ToString().ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }
}
