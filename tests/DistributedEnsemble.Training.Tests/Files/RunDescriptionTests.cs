using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Training.Tests.Files;

public sealed class RunDescriptionTests
{
    private const string Spec = """{ "name": "r", "data": { "dataset": "digits" } }""";

    [Theory]
    [InlineData(Spec, """{ "task": { "name": "of-another-program" } }""", "data.json names the task \"of-another-program\": known here are ")]
    [InlineData("""{ "nmae": "r" }""", "{}", "spec.json is damaged: nmae is an unknown key")]
    public void What_this_program_cannot_read_of_a_run_on_silos_is_named(string spec, string data, string message) => Assert.StartsWith(
        message, Assert.Throws<InvalidDataException>(() => RunDescription.Of(new RunDefinition(spec, data))).Message, StringComparison.Ordinal);
}
