using System.Runtime.InteropServices;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Averaging;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Safetensors;

namespace DistributedEnsemble.Training.Tests.Averaging;

public sealed class EmaFilesTests : IDisposable
{
    private static readonly RunKey s_run = RunKey.New("r");

    private readonly TemporaryFolder _folder = new();

    public EmaFilesTests() => AtomicFile.Write(Folder.Spec, stream => stream.Write("{}"u8));

    private RunFolder Folder => new(_folder.Path, "r");

    [Fact]
    public void A_hand_over_is_folded_into_the_model_before_by_its_share()
    {
        var model = Save(RunFolder.Ema(0, 1), ("layers.0.weight", [2], [0, 10]));
        var handOver = Save(RunFolder.HandOver(0, 2), ("layers.0.weight", [2], [4, 20]));

        using var next = SafetensorsReader.Open(Folder, EmaFiles.Fold(Folder, s_run, model, handOver, 0.25));

        var values = new float[2];
        next.Read(Assert.Single(next.Tensors), MemoryMarshal.AsBytes(values.AsSpan()));
        Assert.Equal([1, 12.5f], values);
    }

    [Fact]
    public void A_new_average_needs_no_model_before()
    {
        var handOver = Save(RunFolder.HandOver(0, 2), ("layers.0.weight", [1], [4]));
        var gone = new WeightFile(0, 1, RunFolder.Ema(0, 1), "ab");

        Assert.Equal(2, EmaFiles.Fold(Folder, s_run, gone, handOver, 1).Step);
        Assert.ThrowsAny<Exception>(() => EmaFiles.Fold(Folder, s_run, gone, handOver, 0.5));
    }

    [Theory]
    [InlineData("layers.0.bias", 2)]
    [InlineData("layers.0.weight", 1)]
    public void Weights_of_another_network_are_not_averaged(string name, int columns)
    {
        var handOver = Save(RunFolder.HandOver(0, 2), ("layers.0.weight", [1, 2], [1, 2]));
        var model = Save(RunFolder.Ema(0, 1), (name, [2 / columns, columns], [1, 2]));

        AssertOther("layers.0.weight", model, handOver);
    }

    [Fact]
    public void A_model_that_lacks_a_tensor_is_not_averaged()
    {
        var handOver = Save(RunFolder.HandOver(0, 2), ("layers.0.weight", [1], [1]), ("layers.1.weight", [1], [1]));
        AssertOther("layers.1.weight", Save(RunFolder.Ema(0, 1), ("layers.0.weight", [1], [1])), handOver);
    }

    [Fact]
    public void Numbers_of_another_type_are_not_averaged()
    {
        var handOver = WeightFiles.Save(
            Folder, new WeightFile(0, 2, RunFolder.HandOver(0, 2), ""), s_run, [new NamedTensor("layers.0.weight", ElementType.I64, [1], sink => sink(new byte[8]))]);

        Assert.Equal(
            $"{Folder.Path(handOver.File)} is damaged: not all of its tensors are float32.",
            Assert.Throws<SafetensorsException>(() => EmaFiles.Fold(Folder, s_run, null, handOver, 1)).Message);
    }

    public void Dispose() => _folder.Dispose();

    private void AssertOther(string tensor, WeightFile model, WeightFile handOver) => Assert.Equal(
        $"{Folder.Path(handOver.File)} is not of the network of the EMA model: its tensor {tensor} is another one there.",
        Assert.Throws<SafetensorsException>(() => EmaFiles.Fold(Folder, s_run, model, handOver, 0.5)).Message);

    private WeightFile Save(string file, params (string Name, long[] Shape, float[] Values)[] tensors) => WeightFiles.Save(
        Folder, new WeightFile(0, file.Contains("ema/") ? 1 : 2, file, ""), s_run,
        [.. tensors.Select(tensor => new NamedTensor(tensor.Name, ElementType.F32, tensor.Shape, sink => sink(MemoryMarshal.AsBytes(tensor.Values.AsSpan()))))]);
}
