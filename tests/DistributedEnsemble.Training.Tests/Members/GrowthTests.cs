namespace DistributedEnsemble.Training.Tests.Members;

public sealed class GrowthTests
{
    /// <summary>
    /// In a process where nothing else happens. One object of libtorch a step that nobody frees, be it a scalar, would be 50 KB
    /// and more.
    /// </summary>
    [Theory]
    [InlineData("sgd")]
    [InlineData("adamw")]
    public async Task Training_holds_as_much_after_2000_steps_as_after_200(string optimizer)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Native memory is read from glibc.");
        var spec = Plans.Small.Replace("\"epochs\": 3", $"\"epochs\": 200, \"optimizer\": {{ \"kind\": \"{optimizer}\" }}").Replace("0.05", "0.001");

        var living = await OtherProcess.MeasureAsync(spec, 200, 2000);

        Assert.Equal([200, 2000], living.Select(measured => measured.Step));
        Assert.All(living, measured => Assert.Equal(0, measured.Undisposed));
        Assert.Equal(living[0].Tensors, living[1].Tensors);
        Assert.InRange(living[1].Bytes - living[0].Bytes, long.MinValue, 30_000);
    }
}
