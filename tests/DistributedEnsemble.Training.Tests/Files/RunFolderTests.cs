using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Training.Tests.Files;

public class RunFolderTests
{
    private static readonly RunFolder Folder = new("runs", "digits-1");

    [Fact]
    public void Files_have_the_names_of_the_contract()
    {
        Assert.Equal("members/03/metrics.jsonl", RunFolder.Metrics(3));
        Assert.Equal("members/03/snapshots/step-00002345.safetensors", RunFolder.Snapshot(3, 2345));
        Assert.Equal("members/03/checkpoints/step-00002345-attempt-0001.safetensors", RunFolder.Checkpoint(3, 2345, 1));
        Assert.Equal("ema/03-step-00002345.safetensors", RunFolder.Ema(3, 2345));
        Assert.Equal(Path.GetFullPath("runs/digits-1/run.json"), Folder.Status);
        Assert.Equal(Path.GetFullPath("runs/digits-1/lock"), Folder.Lock);
    }

    [Fact]
    public void A_relative_name_lies_below_the_folder() =>
        Assert.Equal(Path.GetFullPath("runs/digits-1/ema/03-step-00000001.safetensors"), Folder.Path(RunFolder.Ema(3, 1)));

    [Theory]
    [InlineData("../other/run.json")]
    [InlineData("members/../../other")]
    [InlineData("/etc/passwd")]
    [InlineData("C:/windows")]
    [InlineData(@"members\..\..\x")]
    [InlineData("a//b")]
    [InlineData("./a")]
    [InlineData("a\0b")]
    [InlineData("")]
    public void Any_other_name_is_refused(string name)
    {
        var error = Assert.Throws<ArgumentException>(() => Folder.Path(name));
        Assert.StartsWith($"\"{name}\" does not name a file below the run's folder.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_folder_itself_must_have_a_runs_name() => Assert.Throws<ArgumentException>(() => new RunFolder("runs", "../x"));
}
