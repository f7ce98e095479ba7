using DistributedEnsemble.Client.Clusters;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Client.Tests.Clusters;

public sealed class WarningsTests
{
    [Fact]
    public void Warnings_of_ours_are_a_line_each_and_nothing_else_is_told()
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var warnings = new Warnings(output);
        var ours = warnings.CreateLogger("DistributedEnsemble.Grains.MemberWork");

        Log(ours, LogLevel.Warning, "a checkpoint of member 3 is passed over:\nit is cut short");
        Log(ours, LogLevel.Warning, "the coordinator does not answer", new TimeoutException());
        Log(ours, LogLevel.Information, "superseded");
        Log(warnings.CreateLogger("Orleans.Runtime.Silo"), LogLevel.Warning, "ServerGC is off");

        Assert.Equal("Warning: a checkpoint of member 3 is passed over: it is cut short\n", output.ToString());
    }

    private static void Log(ILogger log, LogLevel level, string text, Exception? exception = null) => log.Log(level, 0, text, exception, (line, _) => line);
}
