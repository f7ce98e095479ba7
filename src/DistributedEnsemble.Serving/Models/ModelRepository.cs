using System.Collections.Concurrent;
using DistributedEnsemble.Grains.Predictions;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Runs;

namespace DistributedEnsemble.Serving.Models;

/// <summary>
/// The runs of a folder as models: one that has ended is ready, whenever it ended. Which of them are served can be chosen at the
/// start, and changed by loading and unloading.
/// </summary>
internal sealed class ModelRepository
{
    private readonly IGrainFactory _grains;
    private readonly RunIndex _runs;
    private readonly LocalAggregators? _here;
    private readonly ConcurrentDictionary<string, bool> _isServed = new();
    private readonly ConcurrentDictionary<RunKey, Served> _described = new();
    private readonly bool _servesAll;

    /// <param name="only">The runs that are served; null is all.</param>
    /// <param name="here">The silo's, if it is in this process.</param>
    public ModelRepository(IGrainFactory grains, RunIndex runs, IReadOnlyCollection<string>? only, LocalAggregators? here)
    {
        (_grains, _runs, _here, _servesAll) = (grains, runs, here, only is null);
        foreach (var name in only ?? []) _isServed[name] = true;
    }

    /// <summary>Every run whose name comes after that one, served or not, by name.</summary>
    public IEnumerable<ModelState> List(string? after) => _runs.List().Where(run => string.CompareOrdinal(run.Run, after) > 0).Select(StateOf);

    /// <summary>Whether there still is that run, and no other of its name.</summary>
    public bool Has(RunKey run) => _runs.Find(run.Name) is { } status && status.Id == run.Id;

    /// <exception cref="HttpError">There is no such model, or it is not ready.</exception>
    public async Task<Served> GetAsync(string name, CancellationToken cancellation)
    {
        var run = CheckReady(name);
        if (_described.TryGetValue(run, out var described)) return described;
        var aggregator = _grains.GetGrain<IAggregator>(run.ToString());
        return _described[run] = new Served(run, aggregator, await aggregator.DescribeAsync().WaitAsync(cancellation), _here);
    }

    /// <exception cref="HttpError">There is no such model, or it is not ready.</exception>
    public RunKey CheckReady(string name)
    {
        var state = Find(name);
        return state.IsReady ? state.Run : throw HttpError.Unavailable($"Model \"{name}\" is not ready: {state.Reason}.");
    }

    /// <exception cref="HttpError">There is no such model.</exception>
    public bool IsReady(string name) => Find(name).IsReady;

    /// <exception cref="HttpError">There is no such model, or it cannot be served yet.</exception>
    public async Task LoadAsync(string name, CancellationToken cancellation)
    {
        Find(name);
        _isServed[name] = true;
        await GetAsync(name, cancellation);
    }

    /// <exception cref="HttpError">There is no such model.</exception>
    public void Unload(string name)
    {
        var state = Find(name);
        _isServed[name] = false;
        _described.TryRemove(state.Run, out _);
    }

    private ModelState Find(string name) =>
        _runs.Find(name) is { } status ? StateOf(status) : throw HttpError.NotFound($"Model {OneLine.Quoted(name)} is unknown: no run has that name.");

    private ModelState StateOf(RunStatus status)
    {
        var isReady = status.State is RunState.Completed or RunState.Degraded;
        var reason = !_isServed.GetValueOrDefault(status.Run, _servesAll) ? "it is not loaded"
            : isReady ? ""
            : status.State is RunState.Running or RunState.Queued ? $"its run is {RunIndex.InWords(status.State)}, {status.Steps} of {status.StepsTotal} steps are done"
            : $"its run is {RunIndex.InWords(status.State)}";
        return new ModelState(new RunKey(status.Run, status.Id), reason);
    }
}

/// <param name="Reason">Why it is not ready; empty if it is.</param>
internal sealed record ModelState(RunKey Run, string Reason)
{
    public bool IsReady => Reason.Length == 0;

    /// <summary>As Triton's repository index names it.</summary>
    public string StateInWords => IsReady ? "READY" : "UNAVAILABLE";
}

/// <summary>A model that is ready, and who answers for it.</summary>
internal sealed record Served(RunKey Run, IAggregator Aggregator, ServedModel Model, LocalAggregators? Here)
{
    public Task<Prediction> PredictAsync(PredictionRequest request, CancellationToken cancellation) =>
        Here?.Predict(Run, request, cancellation) ?? Aggregator.PredictAsync(request, cancellation);
}
