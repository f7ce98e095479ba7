namespace DistributedEnsemble.Specs;

/// <summary>The rules between keys; those of one key stand in its <see cref="KeyAttribute"/>.</summary>
internal static class SpecRules
{
    public static void Check(EnsembleSpec spec)
    {
        var (dropout, prediction) = (spec.Regularization.Dropout, spec.Prediction);

        if (spec.Model is { Kind: "resnet", Depth: { } depth } && (depth < 8 || depth % 6 != 2))
        {
            var below = Math.Max(8, ((depth - 2) / 6 * 6) + 2);
            throw new SpecException($"model.depth is {depth}: a resnet has 6n+2 layers, from 8 to 1202 (near are {below} and {below + 6}).");
        }

        if (spec.Training.Schedule.Milestones is { } milestones && milestones.Zip(milestones.Skip(1)).Any(pair => pair.First >= pair.Second))
        {
            throw new SpecException(
                $"training.schedule.milestones is {milestones}: milestones are epochs, each later than the one before (sort them).");
        }

        if (spec.Data.Folds == 1)
            throw new SpecException("data.folds is 1: a member would train without all of its rows (take 2 folds or more, or 0 for none).");

        if (prediction.Select == "greedy" && spec.Data.ValidationFraction == 0 && !spec.Data.HasOutOfFold)
        {
            throw new SpecException("prediction.select is \"greedy\": greedy selection needs validation rows, and "
                + "data.validationFraction is 0 (raise it, or select all).");
        }

        if (spec.Training.EarlyStopping is { } stopping && spec.Data.ValidationFraction == 0)
        {
            throw new SpecException($"training.earlyStopping.patience is {stopping.Patience}: members stop by the validation rows, and "
                + "data.validationFraction is 0 (raise it, or set training.earlyStopping to null).");
        }

        if (prediction.From is PredictionSource.Ema && spec.Averaging is null)
        {
            throw new SpecException("prediction.from is ema: EMA models come from averaging, which is off "
                + "(set averaging.decay, or predict from final).");
        }

        if (spec.Averaging is { Reset: AveragingReset.Cycle } && spec.Training.Schedule.Kind is not ScheduleKind.CyclicCosine)
        {
            throw new SpecException("averaging.reset is cycle: the average starts anew with each cycle, and training.schedule.kind is "
                + $"{SpecNames.OfChoice(spec.Training.Schedule.Kind)}, which has none (choose cyclic-cosine, or reset never).");
        }

        if (spec.Distillation is { Teacher: null }) throw new SpecException("distillation.teacher is null: it must be the name of the run whose predictions are learned.");

        if (spec.Distillation is { Mixed: > 0 and var mixed } && spec.Data.HasOutOfFold)
        {
            throw new SpecException($"distillation.mixed is {SpecValue.InWords(mixed)}: mixed rows lie between training rows, and with data.folds or data.bootstrap "
                + "these measure members that must not have seen them (leave one of the two out).");
        }

        if (spec.Search is { Over: null }) throw new SpecException($"search.over is null: {SpecSearch.Rule}.");

        if (dropout is { Spatial: true } && spec.Model.Kind is "mlp" or "tabm")
        {
            throw new SpecException($"regularization.dropout.spatial is true: it drops channels of convolutions, and model.kind is {spec.Model.Kind}, "
                + "which has none (choose lenet or resnet, or leave the key out).");
        }

        if (dropout is { Repeats: > 1, Rate: 0, InputRate: 0 })
        {
            throw new SpecException($"regularization.dropout.repeats is {dropout.Repeats}: each row is seen under as many masks, and dropout is off "
                + "(set regularization.dropout.rate, or 1 repeat).");
        }

        // A network of the host's own may have dropout of its own, and so may a variant.
        if (spec.Variants.Count == 0 && spec.Search is null && prediction.MonteCarloSamples > 0 && ModelSpec.BuiltInKinds.Contains(spec.Model.Kind) && (dropout is null or { Rate: 0, InputRate: 0 }))
        {
            throw new SpecException($"prediction.monteCarloSamples is {prediction.MonteCarloSamples}: Monte-Carlo prediction averages "
                + "over dropout masks, and dropout is off (set regularization.dropout.rate, or 0 samples).");
        }
    }

    /// <summary>What runs of former times could be trained with, and new ones cannot.</summary>
    public static void CheckNew(EnsembleSpec spec)
    {
        var decay = spec.Regularization.WeightDecay;
        if (spec.Training.Optimizer.Kind is not OptimizerKind.Adam || decay == 0) return;
        throw new SpecException(
            $"regularization.weightDecay is {SpecValue.InWords(decay)}: it is decoupled, which makes adamw of adam, and training.optimizer.kind is adam "
            + "(choose adamw; or set regularization.l2, the coupled form, to half of PyTorch's weight_decay, and weightDecay to 0).");
    }

    /// <summary>Each variant makes a spec with the run's, and has a member.</summary>
    public static void CheckVariants(EnsembleSpec spec, IReadOnlyCollection<string> modelKinds)
    {
        for (var i = 0; i < spec.Variants.Count; i++)
        {
            var member = SpecResolution.OfVariant(spec, i, modelKinds);
            try
            {
                CheckNew(member);
            }
            catch (SpecException error)
            {
                throw SpecVariant.Error($"variants[{i}]", error);
            }
        }

        if (spec.Variants.Count <= spec.Members) return;
        var (what, count) = spec.Search is null ? ("variants has", $"{spec.Variants.Count} partial specs") : ("search.count is", $"{spec.Variants.Count}");
        throw new SpecException($"{what} {count}, and members is {spec.Members}: variant {spec.Members} and those after it would be nobody's "
            + "(take more members, or fewer variants).");
    }

    public static SpecException OfTheRun(SpecEntry entry, object? value) => new(entry is SpecKey
        ? $"{entry.Path} is {SpecValue.InWords(value)}: all members of a run share it (set it for the run, beside the variants)."
        : $"{entry.Path} is one for all members of a run (set it for the run, beside the variants).");

    public static void CheckModelKind(string kind, IReadOnlyCollection<string> kinds)
    {
        if (kinds.Contains(kind)) return;
        throw new SpecException($"model.kind is {SpecValue.InWords(kind)}: it must be {SpecNames.List(kinds, "or")} "
            + $"(did you mean {Nearest.Of(kind, kinds)}?).");
    }

    public static SpecException OfAnotherKind(SpecKey key, object value, string kind) => new(key.IsRegistered
        ? $"{key.Path} is {SpecValue.InWords(value)}: this key belongs to kinds that the host registered, and {key.Section!.Kind!.Path} "
        + $"is {kind} (leave the key out, or name a network of the host's own)."
        : $"{key.Path} is {SpecValue.InWords(value)}: this key belongs to {SpecNames.List(key.Kinds, "and")}, and {key.Section!.Kind!.Path} "
        + $"is {kind} (leave the key out, or choose {SpecNames.List(key.Kinds, "or")}).");

    public static SpecException CyclesDiffer(object cycles, object perMember) => new(
        $"training.schedule.cycles is {cycles} and snapshots.perMember is {perMember}: each cycle ends in one snapshot "
        + "(set one of them, the other follows).");
}
