using System.Collections.Concurrent;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Predictions;

/// <summary>A network's function that goes forward, for the time of a prediction; others use it afterwards.</summary>
internal readonly struct RentedFunction(NetworkFunction function, int rows, int width, ConcurrentBag<NetworkFunction>? idle) : IDisposable
{
    /// <summary>The most that a pass has.</summary>
    public int Rows => rows;

    /// <summary>A pass over some of the inputs.</summary>
    /// <param name="inputs">[all rows, inputs].</param>
    public ReadOnlySpan<float> Forward(Weights weights, ReadOnlySpan<float> inputs, int first, int count, Noise noise) =>
        function.Forward(weights, inputs.Slice(first * width, count * width), count, noise);

    public void Dispose()
    {
        if (idle is null) function.Dispose();
        else idle.Add(function);
    }
}
