using System.Runtime.InteropServices;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Torch;

/// <summary>A network's weights as tensors over the very memory of the flat vectors, and their gradients likewise.</summary>
internal sealed unsafe partial class TorchViews : IDisposable
{
    private readonly Tensor[] _views;

    public TorchViews(Weights weights)
    {
        using var scope = NewDisposeScope();
        _views = [.. weights.Layout.Tensors.Select(place =>
        {
            var view = Of(place.IsStatistic ? weights.Statistics : weights.Parameters, place);
            if (place.IsStatistic || weights.Gradient is null) return view;
            view.requires_grad = true;
            view.grad = Of(weights.Gradient, place);
            return view;
        })];
    }

    /// <summary>The tensor at a position of the layout, in its own shape.</summary>
    public Tensor this[int index] => _views[index];

    public void Dispose()
    {
        foreach (var view in _views) view.Dispose();
    }

    private static Tensor Of(NativeVector vector, TensorPlace place)
    {
        InitializeDeviceType(DeviceType.CPU);
        long[] shape = [.. place.Shape];
        fixed (long* sizes = shape)
        {
            var handle = THSTensor_new(
                (IntPtr)(vector.Start + place.Offset), &Keep, sizes, shape.Length, (sbyte)ScalarType.Float32, (sbyte)ScalarType.Float32,
                (int)DeviceType.CPU, 0, 0);
            if (handle == IntPtr.Zero) CheckForErrors();
            return Tensor.UnsafeCreateTensor(handle).DetachFromDisposeScope();
        }
    }

    /// <summary>The memory belongs to the vector, not to the tensor.</summary>
    [UnmanagedCallersOnly]
    private static void Keep(IntPtr memory)
    {
    }

    [LibraryImport("LibTorchSharp")]
    private static partial IntPtr THSTensor_new(
        IntPtr data, delegate* unmanaged<IntPtr, void> deleter, long* sizes, int dimensions, sbyte scalarType, sbyte elementType, int deviceType,
        int deviceIndex, int requiresGradient);
}
