using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Averaging;
using DistributedEnsemble.Training.Distillation;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Optimizers;
using DistributedEnsemble.Training.Regularization;

namespace DistributedEnsemble.Training.Members;

/// <summary>
/// The training of one member, on the calling thread: the weights after step t are a pure function of (spec, data, member, t).
/// </summary>
/// <remarks>Not thread-safe, and on libtorch bound to the thread that made it.</remarks>
public sealed class MemberTraining : IDisposable
{
    /// <summary>Numbers of a checkpoint that are copied beside the next step: fewer take less time than it takes to wake another thread.</summary>
    private const long ManyNumbers = 1 << 22;

    private readonly MemberPlan _plan;
    private readonly Team _team;
    private readonly NetworkFunction _function;
    private readonly Weights _weights;
    private readonly Optimizer _optimizer;
    private readonly Batches _batches;
    private readonly TrainingNoise _noise;
    private readonly L2 _l2;
    private readonly Objective _objective;
    private readonly float[] _gradient, _targets;
    private readonly int _repeats, _copies;
    private readonly EarlyStopping? _stopping;
    private readonly Action? _yieldCore;
    private Task _copying = Task.CompletedTask;

    /// <param name="from">Where to go on; null is where the member begins. Its vectors are copied.</param>
    /// <param name="yieldCore">Called between the parts of a step, which are the longest that anybody has to wait for this thread.</param>
    /// <exception cref="SpecException">The run is of former times, and nothing trains like that any more.</exception>
    public MemberTraining(TrainingPlan plan, int member, MemberCheckpoint? from = null, Action? yieldCore = null)
    {
        plan.RequireTrainable();
        _yieldCore = yieldCore;
        _plan = plan.Of(member);
        var (spec, layout) = (_plan.Spec, _plan.Network.Layout);
        Member = member;
        Step = from?.Step ?? 0;
        _weights = from?.Weights.Copy() ?? plan.StartOf(member);
        _weights.Train();
        _team = Team.Of(spec.ThreadsPerMember);
        _optimizer = Optimizer.Create(spec.Training, spec.Regularization.WeightDecay, layout, _team);
        for (var i = 0; i < from?.Optimizer.Count; i++) from.Optimizer[i].Values.Span.CopyTo(_optimizer.State[i].Values.Span);
        _batches = new Batches(plan.Dataset.Train, plan.Rows.CountOf(member), rows => plan.Rows.List(member, rows), spec.Training.BatchSize, plan.Random, member, plan.SoftTargets?.Further);
        _function = _plan.Network.CreateFunction(_plan.RowsOfStep, isTrained: true, _team);
        _repeats = _plan.Repeats;
        _copies = _repeats * _plan.Network.Submodels;
        _objective = new Objective(_plan, _batches.Size * _copies);
        _gradient = new float[checked(_batches.Size * _copies * plan.Task.Outputs)];
        _targets = new float[_copies > 1 ? _batches.Size * _copies : 0];
        _noise = new TrainingNoise(plan.Random, member);
        _l2 = new L2(spec.Regularization.L2, _team);
        _stopping = _plan.Stopping is null ? null : new EarlyStopping(_plan, _weights, from?.Best, yieldCore, _team);
    }

    public int Member { get; }

    /// <summary>Updates done.</summary>
    public int Step { get; private set; }

    /// <summary>Whether there is no next update: T are done, or the member stops early.</summary>
    public bool HasEnded => _stopping?.IsOver(Step) ?? Step == _plan.Steps;

    /// <summary>The step of the best model so far, which is final at the end: the last one unless the member may stop early.</summary>
    public int FinalStep => _stopping?.Best?.Step ?? Step;

    /// <summary>Whether the weights are a snapshot of the spec.</summary>
    public bool IsSnapshot => _plan.SnapshotSteps.Contains(Step);

    /// <summary>Whether the weights are handed over to be averaged: at the steps of the spec, and at the end.</summary>
    public bool IsAveraged => _plan.Averaging is { } averaging && (averaging.Includes(Step) || HasEnded);

    /// <summary>Whether the final model is none of the snapshots.</summary>
    public bool KeepsFinal => !_plan.SnapshotSteps.Contains(FinalStep);

    /// <summary>The next update, and where the spec says so an evaluation on the validation rows.</summary>
    /// <returns>The metrics of its batch where the spec logs them, or the member is evaluated; null elsewhere.</returns>
    /// <exception cref="DivergedException">The loss is not a number; the weights are those before the step.</exception>
    /// <exception cref="Data.DataException">Rows cannot be read.</exception>
    public StepMetrics? Advance()
    {
        var step = Step + 1;
        var batch = _batches.At(step, _function.Inputs);
        if (_repeats > 1) Repeat(_function.Inputs, batch.Rows);
        _yieldCore?.Invoke();
        var outputs = _function.Forward(_weights, batch.Rows * _repeats, _noise.At(step));
        _yieldCore?.Invoke();
        var gradient = _gradient.AsSpan(0, outputs.Length);
        var targets = OfOutputs(batch.Targets.Span);
        var loss = _objective.Loss(outputs, targets, batch, gradient);
        var metrics = Measure(step, loss, outputs, targets);
        _function.Backward(_weights, gradient);
        _l2.AddGradient(_weights);
        _yieldCore?.Invoke();
        _copying.GetAwaiter().GetResult();
        _optimizer.Update(_weights, step, _plan.LearningRate.At(step));
        Step = step;
        _yieldCore?.Invoke();
        return metrics is not null && _stopping?.Includes(step) == true
            ? metrics with { Validation = new ValidationMetrics(_stopping.Evaluate(step)) }
            : metrics;
    }

    /// <summary>A copy of the weights, to be kept.</summary>
    /// <exception cref="DivergedException">One is not finite: no loss says so of the last update.</exception>
    public Weights CopyWeights() => _weights.AreFinite()
        ? _weights.Copy()
        : throw DivergedException.OfWeights(Member, Step, _plan.LearningRate.At(Step));

    /// <summary>A copy of the final model, to be kept.</summary>
    /// <inheritdoc cref="CopyWeights" path="/exception"/>
    public Weights CopyFinal() => _stopping?.Best is { } best ? best.Weights.Copy() : CopyWeights();

    /// <summary>Folds the weights into an average of them.</summary>
    public void FoldInto(Weights average, double share) => ExponentialMovingAverage.Fold(average, _weights, share);

    /// <summary>A copy of all that is needed to go on.</summary>
    public MemberCheckpoint CopyCheckpoint()
    {
        var copying = CopyCheckpointAsync();
        return copying.GetAwaiter().GetResult();
    }

    /// <summary>
    /// A copy of all that is needed to go on, as it is now. That of a large network is made beside the next step, which reads the
    /// weights, and waits before it changes them.
    /// </summary>
    public Task<MemberCheckpoint> CopyCheckpointAsync()
    {
        _copying.GetAwaiter().GetResult();
        var (step, weights, best) = (Step, _weights.BeginCopy(), _stopping?.Best);
        var isLarge = _weights.Parameters.Length * (1 + _optimizer.State.Count) >= ManyNumbers;
        var copying = isLarge ? Task.Run(Copy) : Task.FromResult(Copy());
        _copying = copying;
        return copying;

        MemberCheckpoint Copy() =>
            new(step, weights(), [.. _optimizer.State.Select(part => part with { Values = part.Values.Copy() })], best?.Copy());
    }

    public void Dispose()
    {
        // Whoever asked for the copy hears of it if it fails.
        ((IAsyncResult)_copying).AsyncWaitHandle.WaitOne();
        _weights.Dispose();
        _optimizer.Dispose();
        _function.Dispose();
        _stopping?.Dispose();
        _team.Dispose();
    }

    /// <summary>Each row once for each of its masks, one after the other: to dropout, and to batch norm, all of them are rows.</summary>
    private void Repeat(Span<float> inputs, int rows)
    {
        var width = (int)_plan.Network.InputWidth;
        // From behind: no row comes to lie where one is that has not moved.
        for (var to = rows * _repeats - 1; to > 0; to--) inputs.Slice(to / _repeats * width, width).CopyTo(inputs[(to * width)..]);
    }

    /// <summary>Each target once for each mask and submodel: the mean loss of all these rows is the mean of theirs.</summary>
    private ReadOnlySpan<float> OfOutputs(ReadOnlySpan<float> targets)
    {
        if (_copies == 1) return targets;
        for (var row = 0; row < targets.Length; row++) _targets.AsSpan(row * _copies, _copies).Fill(targets[row]);
        return _targets.AsSpan(0, targets.Length * _copies);
    }

    private StepMetrics? Measure(int step, double loss, ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets)
    {
        var value = (float)loss;
        if (!float.IsFinite(value)) throw DivergedException.OfLoss(Member, step, value, _plan.LearningRate.At(step));
        return !_plan.IsLogged(step) ? null : new StepMetrics(
            step, (double)step / _plan.StepsPerEpoch, _plan.LearningRate.At(step), value, _l2.Term(_weights), _plan.Task.StepQuality(outputs, targets));
    }
}
