using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Training.Distillation;

/// <summary>
/// What a member's step makes small: the task's loss of the labels, or, of a student, share · (loss of the teacher's predictions) +
/// (1 − share) · (loss of the labels) (Hinton et al., "Distilling the knowledge in a neural network", 2015), and of rows without a
/// label that of the teacher's predictions alone.
/// </summary>
/// <param name="rows">The most rows of outputs that a step has.</param>
internal sealed class Objective(MemberPlan plan, int rows)
{
    private readonly SoftTargets? _soft = plan.Run.SoftTargets;
    private readonly float[] _targets = new float[checked(rows * (plan.Run.SoftTargets?.Width ?? 0))];
    private readonly float[] _gradient = new float[plan.Run.SoftTargets is null ? 0 : checked(rows * plan.Task.Outputs)];

    /// <param name="targets">Of each row of outputs.</param>
    /// <param name="batch">The rows; each has as many rows of outputs as its network has submodels, for each of its masks.</param>
    /// <param name="gradient">Overwritten with d(mean loss)/d(outputs).</param>
    public double Loss(ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets, Batch batch, Span<float> gradient)
    {
        if (_soft is null) return plan.Task.Loss(outputs, targets, gradient);
        var copies = targets.Length / batch.Rows;
        for (var i = 0; i < targets.Length; i++) _soft[batch.Order.Span[i / copies]].CopyTo(_targets.AsSpan(i * _soft.Width));
        var (labelled, share) = (batch.Labelled * copies, plan.Spec.Distillation!.Share);
        return Part(outputs, targets, 0, labelled, share, gradient) + Part(outputs, targets, labelled, targets.Length, 1, gradient);
    }

    /// <summary>What some of the rows add to the mean loss of all.</summary>
    /// <param name="share">How much the teacher counts.</param>
    private double Part(ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets, int first, int end, double share, Span<float> gradient)
    {
        if (first == end) return 0;
        var (width, ofAll) = (plan.Task.Outputs, (double)(end - first) / targets.Length);
        outputs = outputs[(first * width)..(end * width)];
        gradient = gradient[(first * width)..(end * width)];
        var ofTeacher = _gradient.AsSpan(0, gradient.Length);
        var soft = plan.Task.SoftLoss(outputs, _targets.AsSpan(first * _soft!.Width, (end - first) * _soft.Width), plan.Spec.Distillation!.Temperature, ofTeacher);
        if (share == 1) gradient.Clear();
        var loss = share == 1 ? 0 : plan.Task.Loss(outputs, targets[first..end], gradient);
        for (var i = 0; i < gradient.Length; i++) gradient[i] = (float)(ofAll * ((share * ofTeacher[i]) + ((1 - share) * gradient[i])));
        return ofAll * ((share * soft) + ((1 - share) * loss));
    }
}
