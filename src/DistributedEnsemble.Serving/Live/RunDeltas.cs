using System.Text.Json;
using System.Text.Json.Nodes;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Metrics;
using DistributedEnsemble.Serving.Runs;

namespace DistributedEnsemble.Serving.Live;

/// <summary>What a watcher of a run does not know yet: all of it at first, then only what has changed.</summary>
/// <param name="spec">What the run's spec says of its members; null where it cannot be read.</param>
internal sealed class RunDeltas(MetricHistory history, TimelineReader timeline, SpecWords? spec = null)
{
    /// <summary>Points of a member's curves in one delta.</summary>
    private const int MostPoints = 100;

    private readonly Dictionary<int, int> _lastSteps = [];
    private RunStatus? _last;
    private JsonObject _head = [];
    private string? _measure;
    private int _snapshots;

    /// <returns>Null if nothing has changed.</returns>
    public JsonObject? Next(RunStatus status)
    {
        var head = Head(status);
        var delta = new JsonObject();
        foreach (var (name, value) in head) if (!_head.TryGetPropertyValue(name, out var known) || !JsonNode.DeepEquals(known, value)) delta[name] = value?.DeepClone();
        Add(delta, "members", Members(status));
        Add(delta, "snapshots", Marks(status.Snapshots, ref _snapshots, _last?.Snapshots));
        Add(delta, "ema", Ema(status));
        Add(delta, "happened", [.. timeline.ReadOn().Select(one => JsonSerializer.SerializeToNode(one, RunStatusJson.Options))]);
        Add(delta, "points", Points(status, out var measure));
        if (measure is not null && measure != _measure) delta["measure"] = _measure = measure;
        (_head, _last) = (head, status);
        return delta.Count > 0 ? delta : null;
    }

    private static void Add(JsonObject delta, string name, JsonArray items)
    {
        if (items.Count > 0) delta[name] = items;
    }

    private JsonObject Head(RunStatus status) => new()
    {
        ["run"] = status.Run,
        ["id"] = status.Id.ToString(),
        ["state"] = RunIndex.InWords(status.State),
        ["reason"] = status.Reason,
        ["exact"] = status.Exact,
        ["steps"] = status.Steps,
        ["stepsTotal"] = status.StepsTotal,
        ["trainSeconds"] = status.State == RunState.Running ? Math.Round(status.TrainSeconds) : status.TrainSeconds,
        ["cpu"] = status.Machine?.Cpu,
        ["memberCount"] = status.Members.Length,
        ["settings"] = spec?.Settings?.DeepClone(),
        ["teacher"] = spec?.Teacher,
    };

    private JsonArray Members(RunStatus status) =>
        [.. status.Members.Where(member => _last is null || member.Index >= _last.Members.Length || _last.Members[member.Index] != member)
            .Select(member => JsonSerializer.SerializeToNode(member, RunStatusJson.Options))];

    /// <summary>Of snapshots, which only become more, the new ones: [member, step].</summary>
    private static JsonArray Marks(IReadOnlyList<WeightFile> files, ref int known, IReadOnlyList<WeightFile>? before)
    {
        if (files.Count == known) return [];
        var old = before?.Select(file => (file.Member, file.Step)).ToHashSet() ?? [];
        known = files.Count;
        return [.. files.Where(file => !old.Contains((file.Member, file.Step))).Select(file => (JsonNode)new JsonArray(file.Member, file.Step))];
    }

    /// <summary>Each member has one EMA model, at its last step: [member, step].</summary>
    private JsonArray Ema(RunStatus status)
    {
        if (_last is not null && status.Ema.SequenceEqual(_last.Ema)) return [];
        return [.. status.Ema.Select(file => (JsonNode)new JsonArray(file.Member, file.Step))];
    }

    /// <summary>Metric lines that were written since the last delta; the first watcher's past is asked for by itself.</summary>
    /// <param name="measure">What the lines say of batches beside their loss; null where no line is new.</param>
    private JsonArray Points(RunStatus status, out string? measure)
    {
        measure = null;
        var run = new RunKey(status.Run, status.Id);
        var points = new JsonArray();
        foreach (var member in status.Members)
        {
            var isNew = !_lastSteps.TryGetValue(member.Index, out var known);
            if (!isNew && (member.State == MemberState.Waiting || (member.State != MemberState.Training && known >= member.Step))) continue;
            // A member's past is asked for by itself, and long to read: what has been written by now may come with the next lines once more.
            if (isNew)
            {
                _lastSteps[member.Index] = member.State == MemberState.Training ? 0 : member.Step;
                continue;
            }

            var (last, named, metrics) = history.Ask(
                run, member.Index, series => (series.LastStep, series.Measure, series.LastStep <= known ? null : New(member.Index, series, known)));
            if (last > 0) _lastSteps[member.Index] = last;
            if (metrics is null) continue;
            measure ??= named;
            points.Add(JsonSerializer.SerializeToNode(metrics, RunStatusJson.Options));
        }

        return points;
    }

    private static MemberMetrics New(int member, MetricSeries series, int known)
    {
        var width = Math.Max(1, (series.LastStep - known) / MostPoints);
        return MemberMetrics.Of(member, series.Between(known + 1, series.LastStep, width), series.ValidationBetween(known + 1, series.LastStep, width));
    }
}
