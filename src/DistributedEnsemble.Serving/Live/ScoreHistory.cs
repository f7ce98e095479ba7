using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Serving.Live;

/// <summary>How good the whole ensemble of each run was, as often as it was measured: whoever comes later sees how it grew.</summary>
internal sealed class ScoreHistory
{
    /// <summary>Of the runs that were measured last, and of each the last points: some MB at most.</summary>
    private const int MostRuns = 256, MostPoints = 500;

    private readonly Lock _lock = new();
    private readonly LinkedList<(string Run, List<ScorePoint> Points)> _runs = new();

    /// <summary>Adds a point of a run; its models, measured for somebody else already, make none.</summary>
    /// <param name="run">Its key.</param>
    /// <returns>All points of the run, the first one first.</returns>
    public ScorePoint[] Add(string run, ScorePoint point)
    {
        lock (_lock)
        {
            var node = _runs.First;
            while (node is not null && node.Value.Run != run) node = node.Next;
            if (node is null) node = new LinkedListNode<(string, List<ScorePoint>)>((run, []));
            else _runs.Remove(node);
            _runs.AddFirst(node);
            if (_runs.Count > MostRuns) _runs.RemoveLast();
            var points = node.Value.Points;
            // What was begun before another measurement, and comes after it, says nothing new.
            if (points.Count == 0 || (point.Steps > points[^1].Steps && point.Models != points[^1].Models)) points.Add(point);
            if (points.Count > MostPoints) points.RemoveAt(0);
            return [.. points];
        }
    }
}

/// <param name="Models">What was measured.</param>
/// <param name="Steps">What all members had done by then.</param>
/// <param name="Members">That had handed over weights.</param>
internal sealed record ScorePoint(string Models, long Steps, int Members, Measures Measures);
