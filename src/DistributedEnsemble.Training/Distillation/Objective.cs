using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Training.Distillation;

/// <summary>
/// What a member's step makes small: the task's loss of the labels, or, of a student, share · (loss of the teacher's predictions) +
/// (1 − share) · (loss of the labels) (Hinton et al., "Distilling the knowledge in a neural network", 2015).
/// </summary>
/// <param name="rows">The most rows of outputs that a step has.</param>
internal sealed class Objective(MemberPlan plan, int rows)
{
    private readonly SoftTargets? _soft = plan.Run.SoftTargets;
    private readonly float[] _targets = new float[rows * (plan.Run.SoftTargets?.Width ?? 0)];
    private readonly float[] _gradient = new float[plan.Run.SoftTargets is null ? 0 : rows * plan.Task.Outputs];

    /// <param name="targets">Of each row of outputs.</param>
    /// <param name="order">Which of the training rows they are; a row has as many rows of outputs as its network has submodels, for each of its masks.</param>
    /// <param name="gradient">Overwritten with d(mean loss)/d(outputs).</param>
    public double Loss(ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets, ReadOnlySpan<int> order, Span<float> gradient)
    {
        var loss = plan.Task.Loss(outputs, targets, gradient);
        if (_soft is null) return loss;
        var (distillation, copies) = (plan.Spec.Distillation!, targets.Length / order.Length);
        for (var i = 0; i < targets.Length; i++) _soft[order[i / copies]].CopyTo(_targets.AsSpan(i * _soft.Width));
        var ofTeacher = _gradient.AsSpan(0, gradient.Length);
        var soft = plan.Task.SoftLoss(outputs, _targets.AsSpan(0, targets.Length * _soft.Width), distillation.Temperature, ofTeacher);
        var share = distillation.Share;
        for (var i = 0; i < gradient.Length; i++) gradient[i] = (float)((share * ofTeacher[i]) + ((1 - share) * gradient[i]));
        return (share * soft) + ((1 - share) * loss);
    }
}
