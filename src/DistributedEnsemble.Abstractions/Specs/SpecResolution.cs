namespace DistributedEnsemble.Specs;

/// <summary>Code defaults ← the dataset's ← explicit keys, where a choice of kind takes the defaults of other kinds with it.</summary>
internal static class SpecResolution
{
    private static readonly EnsembleSpec s_code = new();

    /// <param name="given">The explicit keys.</param>
    /// <param name="modelKinds">Null accepts any.</param>
    public static EnsembleSpec Resolve(SpecLayer given, SpecLayer dataset, IReadOnlyCollection<string>? modelKinds)
    {
        given = InferModelKind(given, dataset);
        if (dataset[SpecPaths.LearningRate] is double rate)
        {
            var (network, rule) = (KindOf(dataset), OptimizerOf(dataset));
            dataset = dataset.With(SpecSchema.Key(SpecPaths.LearningRate), rate * SpecDefaults.LearningRateRatio(network, KindOf(given.Over(dataset)), rule));
        }

        return Resolve(given, dataset, modelKinds, SpecDefaults.For);
    }

    /// <param name="defaults">What the code says of a kind of network and an optimizer.</param>
    private static EnsembleSpec Resolve(SpecLayer given, SpecLayer dataset, IReadOnlyCollection<string>? modelKinds, Func<string, OptimizerKind, EnsembleSpec> defaults)
    {
        if (Changes(given, dataset, SpecPaths.ModelKind, s_code.Model.Kind)) dataset = dataset.Without(SpecPaths.Model);
        if (Changes(given, dataset, SpecPaths.OptimizerKind, s_code.Training.Optimizer.Kind))
            dataset = dataset.Without(SpecPaths.Optimizer).Without(SpecPaths.LearningRate).Without(SpecPaths.WeightDecay);

        var keys = given.Over(dataset);
        var modelKind = KindOf(keys);
        if (modelKinds is not null) SpecRules.CheckModelKind(modelKind, modelKinds);

        keys = WithoutKeysOfOtherKinds(keys, given);
        // Where members do not see all rows, those measure that they did not see.
        if ((keys[SpecPaths.Folds] is > 0 || keys[SpecPaths.Bootstrap] is true) && !given.Has(SpecPaths.ValidationFraction))
            keys = keys.With(SpecSchema.Key(SpecPaths.ValidationFraction), 0.0);
        // What a dataset brings needs rows to stop by; who asks for it without any is told.
        if (keys[SpecPaths.ValidationFraction] is 0.0 && !given.Has(SpecPaths.EarlyStopping)) keys = keys.Without(SpecPaths.EarlyStopping);
        var spec = SpecBuilder.Build(LinkSnapshotsToCycles(keys, given, dataset), defaults(modelKind, OptimizerOf(keys)));
        if (spec.Training.Schedule is { Kind: ScheduleKind.Step, Milestones: null } steps)
        {
            var milestones = SpecDefaults.Milestones(spec.Training.Epochs);
            spec = spec with { Training = spec.Training with { Schedule = steps with { Milestones = milestones } } };
        }

        SpecRules.Check(spec);
        return spec;
    }

    /// <summary>
    /// Members differ by what a dataset brings only in what the author leaves open: whoever says what network to train, say, means all
    /// members. Variants that would be nobody's are left out.
    /// </summary>
    public static SpecLayer WithFittingVariants(SpecLayer dataset, SpecLayer given)
    {
        if (dataset[SpecPaths.Variants] is not SpecList<SpecVariant> { Count: > 0 } variants) return dataset;
        var sections = SpecSchema.Keys.Where(key => variants.Any(variant => variant.Keys.Names(key.Path))).Select(key => key.Section!.Path).ToHashSet();
        var isOpen = !given.Has(SpecPaths.Search) && !given.Paths.Any(path => sections.Any(section => path == section || path.StartsWith($"{section}.", StringComparison.Ordinal)));
        var members = given[SpecPaths.Members] ?? dataset[SpecPaths.Members] ?? s_code.Members;
        SpecList<SpecVariant> kept = [.. isOpen ? variants.Take((int)members) : []];
        if (kept.All(variant => variant.Equals(SpecVariant.Empty))) kept = [];
        return dataset.With(SpecSchema.Key(SpecPaths.Variants), kept);
    }

    /// <summary>The spec of the members that have a variant: its keys over the run's, as an author's are over a dataset's.</summary>
    /// <exception cref="SpecException">The keys do not go together; the message names the variant.</exception>
    public static EnsembleSpec OfVariant(EnsembleSpec run, int index, IReadOnlyCollection<string>? modelKinds = null)
    {
        try
        {
            var (keys, below) = (run.Variants[index].Keys, SpecBuilder.LayerOf(run));
            // Milestones that nobody chose follow the epochs.
            if (keys.Has(SpecPaths.Epochs) && run.Training.Schedule.Milestones?.Equals(SpecDefaults.Milestones(run.Training.Epochs)) == true)
                below = below.Without(SpecPaths.Milestones);
            // Learning rates that a kind of network brings stand in the variants of new runs; those of former times go on without them.
            return Resolve(InferModelKind(keys, below), below, modelKinds, SpecDefaults.Former) with { Variants = [], Search = null };
        }
        catch (SpecException error)
        {
            throw SpecVariant.Error($"variants[{index}]", error);
        }
    }

    /// <summary>
    /// A run whose variants say the learning rate that their kind of network brings where it is another than the run's, and nobody chose
    /// one: the spec that is recorded says all that its members depend on.
    /// </summary>
    /// <param name="isChosen">Whether the run's own learning rate is its author's, which counts for all kinds.</param>
    public static EnsembleSpec WithLearningRates(EnsembleSpec run, bool isChosen, IReadOnlyCollection<string> modelKinds)
    {
        return run with { Variants = [.. run.Variants.Select((variant, index) => variant.Keys.Has(SpecPaths.LearningRate) ? variant : Rated(variant, index))] };

        SpecVariant Rated(SpecVariant variant, int index)
        {
            var member = OfVariant(run, index, modelKinds);
            var (kind, optimizer, rate) = (member.Model.Kind, member.Training.Optimizer.Kind, member.Training.Schedule.LearningRate);
            var own = optimizer != run.Training.Optimizer.Kind ? SpecDefaults.LearningRateOf(kind, optimizer)
                : isChosen ? rate : rate * SpecDefaults.LearningRateRatio(run.Model.Kind, kind, optimizer);
            return own == rate ? variant : new SpecVariant(variant.Keys.With(SpecSchema.Key(SpecPaths.LearningRate), own));
        }
    }

    private static string KindOf(SpecLayer layer) => layer[SpecPaths.ModelKind] as string ?? s_code.Model.Kind;

    private static OptimizerKind OptimizerOf(SpecLayer layer) => layer[SpecPaths.OptimizerKind] as OptimizerKind? ?? s_code.Training.Optimizer.Kind;

    private static bool Changes(SpecLayer given, SpecLayer dataset, string kind, object fallback) =>
        given.Has(kind) && !given[kind]!.Equals(dataset[kind] ?? fallback);

    // model.hidden=[64] says mlp clearly enough.
    private static SpecLayer InferModelKind(SpecLayer given, SpecLayer dataset)
    {
        if (given.Has(SpecPaths.ModelKind)) return given;
        var kindKey = SpecSchema.Key(SpecPaths.ModelKind);
        var inherited = KindOf(dataset);
        var keys = kindKey.Section!.Entries.OfType<SpecKey>().Where(key => given.Has(key.Path)).ToList();
        if (keys.All(key => key.AppliesTo(inherited))) return given;
        return keys.SelectMany(key => key.Kinds).FirstOrDefault(kind => keys.All(key => key.AppliesTo(kind))) is { } kind ? given.With(kindKey, kind) : given;
    }

    private static SpecLayer WithoutKeysOfOtherKinds(SpecLayer keys, SpecLayer given)
    {
        foreach (var key in SpecSchema.Keys.Where(key => key.IsOfSomeKinds))
        {
            var kindKey = key.Section!.Kind!;
            var kind = SpecNames.OfKind(keys[kindKey.Path] ?? kindKey.ValueIn(key.Section.New())!);
            if (key.AppliesTo(kind)) continue;
            if (given.Has(key.Path)) throw SpecRules.OfAnotherKind(key, given[key.Path]!, kind);
            keys = keys.Without(key.Path);
        }

        return keys;
    }

    /// <summary>A cycle ends in a snapshot, so one number follows the other, explicit ones before the dataset's.</summary>
    private static SpecLayer LinkSnapshotsToCycles(SpecLayer keys, SpecLayer given, SpecLayer dataset)
    {
        if (keys[SpecPaths.ScheduleKind] is not ScheduleKind.CyclicCosine) return keys;
        var (cycles, perMember) = (given[SpecPaths.Cycles], given[SpecPaths.PerMember]);
        if (cycles is not null && perMember is not null && !cycles.Equals(perMember)) throw SpecRules.CyclesDiffer(cycles, perMember);

        var count = cycles ?? perMember ?? dataset[SpecPaths.Cycles] ?? dataset[SpecPaths.PerMember] ?? new SnapshotSpec().PerMember;
        keys = keys.With(SpecSchema.Key(SpecPaths.Cycles), count);
        // snapshots: null is a choice, too: warm restarts for the final model alone.
        return given[SpecPaths.Snapshots] is false ? keys : keys.With(SpecSchema.Key(SpecPaths.PerMember), count);
    }
}
