using System.Text;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Training.Tests.Files;

public sealed class RunStatusFileTests
{
    private static readonly RunFolder Folder = new("runs", "digits-1");

    private static readonly string Good = RunStatusJson.ToJson(new RunStatus
    {
        Run = "digits-1", Id = Guid.Empty, State = RunState.Running, Steps = 5, StepsTotal = 20,
        Members =
        [
            new MemberStatus { Index = 0, State = MemberState.Training, Step = 5, Loss = 0.5, StepsTotal = 10 },
            new MemberStatus { Index = 1, State = MemberState.Waiting, StepsTotal = 10 },
        ],
        Snapshots = [new WeightFile(0, 5, "members/00/snapshots/step-00000005.safetensors", new string('a', 64))],
    });

    [Fact]
    public void A_status_is_read_as_it_was_written() => Assert.Equal(Good, RunStatusJson.ToJson(RunStatusFile.Parse(Good, Folder)));

    [Fact]
    public void A_status_of_former_programs_has_the_last_step_as_the_final_one()
    {
        var former = Good.Replace("\"state\":\"training\"", "\"state\":\"completed\"", StringComparison.Ordinal).Replace("\"stepsTotal\":10,\"finalStep\":null", "\"x\":1", StringComparison.Ordinal);
        var members = RunStatusFile.Parse(former, Folder).Members;
        Assert.Equal([(10, 5), (10, null)], members.Select(member => (member.StepsTotal, member.FinalStep)));
    }

    [Theory]
    [InlineData("\"run\":\"digits-1\"", "\"run\":\"\"", "it names no run")]
    [InlineData("\"index\":1", "\"index\":-7", "its members are not numbered from 0")]
    [InlineData("\"stepsTotal\":20", "\"stepsTotal\":-5", "it has steps that cannot be")]
    [InlineData("\"steps\":5", "\"steps\":21", "it has steps that cannot be")]
    [InlineData("\"step\":5,\"epoch\"", "\"step\":11,\"epoch\"", "it has steps that cannot be")]
    [InlineData("\"member\":0", "\"member\":2", "it names weights that cannot be")]
    [InlineData("aaa\"", "\"", "it names weights that cannot be")]
    [InlineData("members/00", "../00", "it names \"../00/snapshots/step-00000005.safetensor…\", which is no file of the run")]
    [InlineData("\"members\":[", "\"members\":null,\"x\":[", "it is not the JSON of a run's status (line 1, at $.members)")]
    [InlineData("\"state\":\"running\"", "\"state\":\"walking\"", "it is not the JSON of a run's status (line 1, at $.state)")]
    public void A_damaged_status_is_told(string text, string by, string fault)
    {
        var error = Assert.Throws<InvalidDataException>(() => RunStatusFile.Parse(Good.Replace(text, by, StringComparison.Ordinal), Folder));
        Assert.Equal($"{Folder.Status} is damaged: {fault}.", error.Message);
    }

    [Fact]
    public void A_folder_that_was_renamed_is_told_from_damage() => Assert.Equal(
        $"{Folder.Status} is of the run \"other\", and its folder has another name: rename it to that.",
        Assert.Throws<InvalidDataException>(() => RunStatusFile.Parse(Good.Replace("\"run\":\"digits-1\"", "\"run\":\"other\"", StringComparison.Ordinal), Folder)).Message);

    [Fact]
    public void A_cut_status_is_told() => Assert.StartsWith(
        $"{Folder.Status} is damaged: it is not the JSON of a run's status (line 1, at $",
        Assert.Throws<InvalidDataException>(() => RunStatusFile.Parse(Good[..100], Folder)).Message, StringComparison.Ordinal);

    [Fact]
    public void Whatever_is_damaged_only_the_documented_exception_escapes() => Fuzz.Run(
        Encoding.UTF8.GetBytes(Good), bytes => RunStatusFile.Parse(Encoding.UTF8.GetString(bytes), Folder), typeof(InvalidDataException));
}
