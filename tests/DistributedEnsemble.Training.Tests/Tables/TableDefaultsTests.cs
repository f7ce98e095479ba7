using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Tables;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Tables;

public sealed class TableDefaultsTests
{
    private static readonly Classification s_class = new(["a", "b"]);
    private static readonly Regression s_number = new(0, 1, -2, 2);

    [Fact]
    public void Of_a_short_table_every_third_member_has_submodels_and_none_vectors_of_numbers()
    {
        foreach (LearningTask task in new LearningTask[] { s_class, s_number })
        {
            var spec = Resolve("{}", 1499, task);
            Assert.Equal(["mlp", "mlp", "tabm", "mlp", "mlp", "tabm", "mlp", "mlp", "tabm", "mlp"], Members(spec, member => member.Model.Kind));
            Assert.Equal([true, true, false, true], Members(spec, member => member.Model.NumericEmbedding is not null).Take(4));
            Assert.NotNull(spec.Training.EarlyStopping);
        }
    }

    [Fact]
    public void Nothing_stops_by_validation_rows_that_are_too_few_to_tell()
    {
        Assert.Null(Resolve("{}", 99, s_class).Training.EarlyStopping);
        Assert.NotNull(Resolve("{}", 100, s_class).Training.EarlyStopping);
    }

    [Fact]
    public void Numbers_of_middling_tables_are_learned_by_mlps_of_two_kinds_in_turn()
    {
        var spec = Resolve("{}", 1500, s_number);
        Assert.Equal(["[128]", "[256, 256]", "[128]"], Members(spec, member => $"{member.Model.Hidden}").Take(3));
        Assert.Equal([true, false, true], Members(spec, member => member.Model.NumericEmbedding is not null).Take(3));
        Assert.Empty(Resolve("{}", 1500, s_class).Variants);
    }

    [Fact]
    public void Members_of_long_tables_do_not_differ()
    {
        Assert.Empty(Resolve("{}", 8000, s_number).Variants);
        Assert.Empty(Resolve("{}", 8000, s_class).Variants);
    }

    [Fact]
    public void Whoever_says_what_network_to_train_means_all_members()
    {
        foreach (var rows in new[] { 100, 3000, 50_000 })
            Assert.Equal(["[8]"], Members(Resolve("""{ "model": { "hidden": [8] } }""", rows, s_number), member => $"{member.Model.Hidden}").Distinct());
    }

    private static EnsembleSpec Resolve(string spec, long rows, LearningTask task) => SpecDocument.Parse(spec).Resolve(TableDefaults.For(rows, task));

    private static IEnumerable<T> Members<T>(EnsembleSpec spec, Func<EnsembleSpec, T> what) => Enumerable.Range(0, spec.Members).Select(i => what(spec.OfMember(i)));
}
