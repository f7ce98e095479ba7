using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Members;

/// <summary>Evaluates a member on the validation rows, as a prediction would, and keeps its best weights.</summary>
/// <remarks>On the member's own thread. On kernels of our own an evaluation allocates nothing, but for the first best weights.</remarks>
internal sealed class EarlyStopping : IDisposable
{
    private readonly StoppingSchedule _schedule;
    private readonly LearningTask _task;
    private readonly Samples _rows;
    private readonly Weights _weights;
    private readonly SingleModel _model;
    private readonly RentedFunction _function;
    private readonly double[] _answers;
    private readonly float[] _inputs;
    private readonly Action? _yieldCore;

    /// <param name="weights">The member's, which change from step to step.</param>
    /// <param name="best">What a checkpoint has; copied.</param>
    /// <param name="yieldCore">Called between two batches.</param>
    /// <param name="team">The member's threads; null is the caller's alone.</param>
    public EarlyStopping(MemberPlan plan, Weights weights, BestModel? best, Action? yieldCore, Team? team = null)
    {
        (_schedule, _task, _rows, _weights, _yieldCore) = (plan.Stopping!, plan.Task, plan.Run.Samples(DataPart.Validation), weights, yieldCore);
        _model = new SingleModel(plan.Network, plan.Task, weights);
        // Its own: one that others use may leave libtorch with another number of threads.
        _function = plan.Network.CreateForward(BatchedPrediction.BatchSize, team ?? Team.Alone);
        var most = Math.Min(_rows.Count, BatchedPrediction.BatchSize);
        (_answers, _inputs) = (new double[most * _task.Width], _rows.RoomFor(most));
        Best = best?.Copy();
    }

    /// <summary>Null before an evaluation that gave a number.</summary>
    public BestModel? Best { get; private set; }

    public bool Includes(int step) => _schedule.Includes(step);

    /// <summary>Whether a member at that step goes no further.</summary>
    public bool IsOver(int step) => _schedule.IsOver(step, Best?.Step ?? 0);

    /// <summary>Measures the weights after a step, and keeps them if none were better. What is no number is not better.</summary>
    /// <returns>Their mean negative log-likelihood.</returns>
    public double Evaluate(int step)
    {
        var nll = Nll();
        if (!(nll < (Best?.Nll ?? double.PositiveInfinity)) || !_weights.AreFinite()) return nll;
        if (Best is null) Best = new BestModel(step, nll, _weights.Copy());
        else Best = Best with { Step = step, Nll = nll, Weights = CopyTo(Best.Weights) };
        return nll;
    }

    public void Dispose()
    {
        _function.Dispose();
        Best?.Dispose();
    }

    private Weights CopyTo(Weights kept)
    {
        _weights.Parameters.Span.CopyTo(kept.Parameters.Span);
        _weights.Statistics.Span.CopyTo(kept.Statistics.Span);
        return kept;
    }

    /// <summary>In batches of one size and order, summed in that order.</summary>
    private double Nll()
    {
        var surprise = 0.0;
        for (var first = 0; first < _rows.Count; first += BatchedPrediction.BatchSize)
        {
            var count = (int)Math.Min(BatchedPrediction.BatchSize, _rows.Count - first);
            var answers = _answers.AsSpan(0, count * _task.Width);
            _model.Answer(_function, _rows.InputsOf(first, count, _inputs), answers);
            surprise += _task.Surprise(answers, _rows.Targets.AsSpan(first, count));
            _yieldCore?.Invoke();
        }

        return _task.Nll(surprise, _rows.Count);
    }
}
