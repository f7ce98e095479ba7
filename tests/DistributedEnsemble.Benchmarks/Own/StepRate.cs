using System.Diagnostics;
using System.Globalization;
using DistributedEnsemble.Benchmarks.Steps;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Benchmarks.Own;

/// <summary>Steps a second of the library alone, in a process of its own.</summary>
internal static class StepRate
{
    /// <summary>The hidden command that measures.</summary>
    public const string Command = "steps-of-library";

    /// <summary>What is trained, as part of a spec.</summary>
    public const string Work = """
        "data": { "dataset": "fashion-mnist" }, "model": { "kind": "mlp", "hidden": [256] },
        "training": { "epochs": 20, "batchSize": 128 }, "regularization": { "dropout": { "rate": 0.5 } }
        """;

    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(1.5), s_each = TimeSpan.FromSeconds(3);

    public static async Task<double> InProcessAsync(string? data)
    {
        using var process = Process.Start(new ProcessStartInfo(
            Environment.ProcessPath!, data is null ? [Command] : [Command, "--data", data]) { RedirectStandardOutput = true })!;
        var rate = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return double.Parse(rate, CultureInfo.InvariantCulture);
    }

    /// <summary>Measures in this process.</summary>
    public static double Measure(string? data)
    {
        var plan = new TrainingPlan(SpecDocument.Parse($"{{ {Work} }}").Resolve(), Preloaded.FashionMnist(data).Dataset, new NetworkRegistry());
        var loop = new LibraryLoop(plan, 0);
        try
        {
            Count(s_warmUp);
            return Count(s_each) / s_each.TotalSeconds;
        }
        finally
        {
            loop.Dispose();
        }

        int Count(TimeSpan time)
        {
            var (steps, clock) = (0, Stopwatch.StartNew());
            for (; clock.Elapsed < time; steps++)
            {
                if (loop.HasEnded)
                {
                    loop.Dispose();
                    loop = new LibraryLoop(plan, 0);
                }

                loop.Step();
            }

            return steps;
        }
    }
}
