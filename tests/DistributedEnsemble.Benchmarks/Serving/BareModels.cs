using System.Diagnostics;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Benchmarks.Serving;

/// <summary>Ten models as TorchSharp's examples write them, asked one after the other for one batch, and averaged.</summary>
internal sealed class BareModels : IDisposable
{
    private readonly Sequential[] _models;
    private readonly float[] _rows;

    /// <param name="rows">What is asked, as often as a batch needs: a real image costs more than an empty one, where its numbers are compared.</param>
    public BareModels(string model, int count, float[] rows)
    {
        _rows = rows;
        _models = [.. Enumerable.Range(0, count).Select(_ => model == "mlp" ? Mlp() : LeNet())];
        foreach (var module in _models) module.eval();
    }

    /// <summary>Batches on threads of one torch thread each.</summary>
    public Measurement Measure(int rows, int threads, double seconds)
    {
        var (begun, processor) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        var ticks = new List<long>[threads];
        var workers = Enumerable.Range(0, threads).Select(i => new Thread(() => ticks[i] = Work(rows, begun, seconds))).ToList();
        foreach (var worker in workers) worker.Start();
        foreach (var worker in workers) worker.Join();
        return Measurement.Of(ticks.SelectMany(thread => thread), (begun, processor), rows, 0);
    }

    public void Dispose()
    {
        foreach (var model in _models) model.Dispose();
    }

    private List<long> Work(int rows, long begun, double seconds)
    {
        set_num_threads(1);
        using var noGradient = no_grad();
        float[] batch = [.. Enumerable.Range(0, rows * 784).Select(i => _rows[i % _rows.Length])];
        var ticks = new List<long>();
        while (Stopwatch.GetElapsedTime(begun).TotalSeconds < seconds)
        {
            var asked = Stopwatch.GetTimestamp();
            using var scope = NewDisposeScope();
            var inputs = tensor(batch, [rows, 1, 28, 28]).div(255);
            var sum = _models[0].forward(inputs).softmax(1);
            foreach (var model in _models.Skip(1)) sum.add_(model.forward(inputs).softmax(1));
            _ = sum.div_(_models.Length).data<float>().ToArray();
            ticks.Add(Stopwatch.GetTimestamp() - asked);
        }

        return ticks;
    }

    private static Sequential Mlp() => Sequential(Flatten(), Linear(784, 256), ReLU(), Linear(256, 10));

    private static Sequential LeNet() => Sequential(
        Conv2d(1, 6, 5, padding: 2), ReLU(), MaxPool2d(2), Conv2d(6, 16, 5), ReLU(), MaxPool2d(2),
        Flatten(), Linear(400, 120), ReLU(), Linear(120, 84), ReLU(), Linear(84, 10));
}
