using System.Reflection;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Tests.Kernels;

/// <summary>Each kernel has the bits of its reference, and those of every other width of vectors.</summary>
public sealed class KernelLawsTests
{
    /// <summary>Of which each method is a kernel.</summary>
    private static readonly Type[] s_simple = [typeof(Elementwise), typeof(Sums), typeof(Transpose)];

    /// <summary>A part of <see cref="Transpose.Copy"/> that others use as well.</summary>
    private const string Part = nameof(Transpose.Quarters);

    public static TheoryData<string> Names => [.. SimpleKernels.Laws.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_simple_kernel_has_the_bits_of_one_number_after_another(string name)
    {
        var random = new Random(2);
        for (var i = 0; i < 500; i++) SimpleKernels.Laws[name](random);
    }

    [Theory]
    [InlineData("DOTNET_EnableAVX512=0", "DOTNET_EnableAVX512F=0")]
    [InlineData("DOTNET_EnableAVX2=0")]
    [InlineData("DOTNET_EnableAVX=0")]
    [InlineData("DOTNET_EnableHWIntrinsic=0")]
    public async Task Every_width_of_vectors_gives_every_kernel_the_same_bits(params string[] switches) =>
        Assert.Equal(KernelBits.All(), await OtherProcess.KernelsAsync(switches));

    [Fact]
    public void No_kernel_and_no_layer_is_without_a_law()
    {
        var kernels = s_simple.SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)).Select(method => method.Name);
        var layers = typeof(Layer).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Layer)) && type.Name != "ModuleLayer");

        Assert.Equal(kernels.Where(name => name != Part).Distinct().Order(), SimpleKernels.Laws.Keys.Order());
        Assert.Empty(layers.Except(Designs.All.Values.SelectMany(design => design.Layers).Select(layer => layer.GetType())));
    }
}
