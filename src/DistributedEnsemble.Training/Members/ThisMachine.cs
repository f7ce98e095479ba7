using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Members;

/// <summary>Names what decides the bits of a floating-point sum besides the program.</summary>
internal static class ThisMachine
{
    /// <summary>The version that the program is built with, known without loading it.</summary>
    internal const string Libtorch = "2.10.0.0";

    public static MachineInfo Describe() => new(CpuModel(), InstructionSet(), Libtorch, KernelVersion.Current);

    /// <summary>Whether two machines train a network to the same bits.</summary>
    public static bool HasBitsOf(this MachineInfo machine, MachineInfo other, KernelKind kernels) => kernels switch
    {
        KernelKind.Own => machine.Kernels == other.Kernels,
        KernelKind.Libtorch => machine with { Kernels = other.Kernels } == other,
    };

    private static string CpuModel()
    {
        const string Key = "model name";
        var line = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal))
            : null;
        return line is null ? RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':') + 1)..].Trim();
    }

    private static string InstructionSet() =>
        Avx512F.IsSupported ? "AVX-512" : Avx2.IsSupported ? "AVX2" : RuntimeInformation.ProcessArchitecture.ToString();
}
