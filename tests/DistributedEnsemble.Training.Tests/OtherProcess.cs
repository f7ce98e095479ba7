using System.Diagnostics;
using System.Runtime.InteropServices;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tests.Kernels;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests;

/// <summary>Training in a process of its own, with its own memory, heap and libtorch: this executable, started again.</summary>
internal static partial class OtherProcess
{
    public const string Command = "other-process";

    private const int StepsPerCollection = 50;

    /// <summary>Trains a member to its end from the beginning.</summary>
    /// <returns>The SHA-256 of its weights.</returns>
    public static Task<string> TrainAsync(string spec, int member) => RunAsync("train", spec, $"{member}");

    /// <summary>Trains a member of each spec with switches of the runtime, NAME=value.</summary>
    /// <returns>The SHA-256 of their weights.</returns>
    public static async Task<string[]> TrainAsync(IEnumerable<string> specs, params string[] switches) =>
        (await RunAsync(switches, ["train-all", .. specs])).Split(' ');

    /// <summary>Holds the kernels to their laws with switches of the runtime, NAME=value.</summary>
    /// <returns>A line for each piece of their work: its name and the SHA-256 of its bits.</returns>
    public static async Task<string[]> KernelsAsync(params string[] switches) => (await RunAsync(switches, ["kernels"])).Split('\n');

    /// <summary>Trains a member and predicts with it.</summary>
    /// <returns>The native libraries that the process has then.</returns>
    public static async Task<string[]> LibrariesAsync(string spec) => (await RunAsync("libraries", spec)).Split('\n');

    /// <summary>Loads a member's checkpoint and trains to the end.</summary>
    /// <returns>The SHA-256 of its weights.</returns>
    public static Task<string> ContinueAsync(string spec, string runs, WeightFile checkpoint) =>
        RunAsync("continue", spec, runs, $"{checkpoint.Member}", $"{checkpoint.Step}", checkpoint.File, checkpoint.Sha256);

    /// <summary>Trains member 0, and measures what is alive after some of its steps.</summary>
    public static async Task<IReadOnlyList<Living>> MeasureAsync(string spec, params IReadOnlyList<int> steps)
    {
        var lines = (await RunAsync(["measure", spec, .. steps.Select(step => $"{step}")])).Split('\n');
        return [.. lines.Select(line => line.Split(' ')).Select(words => new Living(int.Parse(words[0]), long.Parse(words[1]), long.Parse(words[2]), long.Parse(words[3])))];
    }

    public static int Serve(string[] work)
    {
        if (work is ["kernels"])
        {
            Console.Write(string.Join('\n', KernelBits.All()));
            return 0;
        }

        var plan = Plans.Of(work[1]);
        Console.Write(work switch
        {
            ["train-all", .. var specs] => string.Join(' ', specs.Select(spec => Finish(Plans.Of(spec), new MemberTraining(Plans.Of(spec), 0)))),
            ["libraries", _] => Libraries(plan),
            ["train", _, var member] => Finish(plan, new MemberTraining(plan, int.Parse(member))),
            ["continue", _, var runs, var member, var step, var file, var sha256] =>
                Continue(plan, new RunFolder(runs, plan.Spec.Name!), new WeightFile(int.Parse(member), int.Parse(step), file, sha256)),
            ["measure", _, .. var steps] => string.Join('\n', Measure(plan, [.. steps.Select(int.Parse)])),
            _ => throw new ArgumentException($"Unknown work: {string.Join(' ', work)}"),
        });
        return 0;
    }

    private static Task<string> RunAsync(params string[] work) => RunAsync([], work);

    private static async Task<string> RunAsync(string[] switches, string[] work)
    {
        var executable = Path.Combine(AppContext.BaseDirectory, typeof(OtherProcess).Assembly.GetName().Name!);
        // build/test-on-arm has this program for another machine, and one that runs it here.
        string[] command = Environment.GetEnvironmentVariable("ENSEMBLE_TEST_PROCESS")?.Split(' ') ?? [OperatingSystem.IsWindows() ? executable + ".exe" : executable];
        var start = new ProcessStartInfo(command[0], [.. command[1..], Command, .. work])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // Methods are compiled once: what the compiler takes from malloc later would hide a small leak.
            Environment = { ["DOTNET_TieredCompilation"] = "0" },
        };
        foreach (var setting in switches) start.Environment[setting.Split('=')[0]] = setting.Split('=')[1];
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        return await output;
    }

    private static string Continue(TrainingPlan plan, RunFolder folder, WeightFile file)
    {
        using var checkpoint = WeightFiles.LoadCheckpoint(folder, file, plan);
        return Finish(plan, new MemberTraining(plan, file.Member, checkpoint));
    }

    private static string Libraries(TrainingPlan plan)
    {
        using var training = new MemberTraining(plan, 0);
        training.TrainTo(plan, plan.Of(0).Steps);
        using var weights = training.CopyWeights();
        BatchedPrediction.OfRows(Predictors.Create(plan, weights, 0, monteCarloSamples: 3), plan.Dataset.Test, 0, 100);
        ThisMachine.Describe();
        return string.Join('\n', File.ReadLines("/proc/self/maps").Select(line => line.Split('/')[^1]).Where(name => name.EndsWith(".so", StringComparison.Ordinal)).Distinct());
    }

    private static string Finish(TrainingPlan plan, MemberTraining training)
    {
        using (training) return training.TrainTo(plan, plan.Of(0).Steps);
    }

    private static IEnumerable<string> Measure(TrainingPlan plan, int[] steps)
    {
        using var training = new MemberTraining(plan, 0);
        foreach (var step in steps)
        {
            long tensors = 0;
            while (training.Step < step)
            {
                training.TrainTo(plan, Math.Min(step, training.Step + StepsPerCollection));
                tensors = Math.Max(tensors, Tensor.TotalCount);
                Collect();
            }

            yield return $"{step} {tensors - Tensor.TotalCount} {Tensor.TotalCount} {MallocInUse()}";
        }
    }

    /// <summary>What the runtime holds for garbage is then the same at any step.</summary>
    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    /// <summary>
    /// The bytes that malloc has given out and not got back: libtorch's tensors, graphs and scalars. Unlike the resident set
    /// it does not depend on what the allocator or the GC keep in reserve.
    /// </summary>
    private static long MallocInUse()
    {
        var malloc = MallocInfo();
        return (long)(malloc.InUse + malloc.Mapped);
    }

    [LibraryImport("libc", EntryPoint = "mallinfo2")]
    private static partial Malloc MallocInfo();

    /// <summary>glibc's struct mallinfo2.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Malloc
    {
        private readonly nuint _arena, _freeChunks, _freeFast, _mappedCount;
        public readonly nuint Mapped;
        private readonly nuint _unused, _freeFastBytes;
        public readonly nuint InUse;
        private readonly nuint _free, _top;
    }
}

/// <summary>What a process holds after a step.</summary>
/// <param name="Undisposed">Tensors that only a garbage collection disposed of, of the steps between two collections.</param>
/// <param name="Tensors">Tensors in use.</param>
/// <param name="Bytes">Native memory in use.</param>
internal sealed record Living(int Step, long Undisposed, long Tensors, long Bytes);
