using System.Text.Json.Nodes;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Training.Distillation;

/// <summary>The spec of a student: its teacher's, but for what makes an ensemble of it.</summary>
internal static class StudentSpec
{
    /// <summary>
    /// Members of fewer epochs have not learned all that the labels say: their student learns these, too, and for longer. Of others it
    /// would learn the labels by heart.
    /// </summary>
    private const int ManyEpochs = 15;

    private const int MostEpochs = 1_000_000;

    /// <summary>A student is one model, trained on all rows, and predicts by its end.</summary>
    private static readonly string[] s_ofEnsembles = ["name", "members", "variants", "search", "averaging", "snapshots", "prediction", "distillation"];

    private static readonly string[] s_ofMembers = ["folds", "bootstrap", "columns"];

    /// <param name="run">The teacher.</param>
    /// <param name="settings">Keys over its resolved spec.</param>
    /// <exception cref="SpecException">There is no such key, or it takes no such value.</exception>
    public static SpecDocument Of(RunDescription run, string teachersName, string name, int members, IReadOnlyList<(string Path, string Value)> settings)
    {
        var teacher = run.Spec;
        if (settings.Any(setting => setting is ("distillation", "null"))) throw new SpecException("distillation is null: a student learns of its teacher. Leave the key out.");
        var json = JsonNode.Parse(teacher.ToJson())!.AsObject();
        foreach (var key in s_ofEnsembles) json.Remove(key);
        foreach (var key in s_ofMembers) json["data"]!.AsObject().Remove(key);
        // Labels of few validation rows stop a student by chance; what the teacher says is learned the better the longer.
        json["training"]!["earlyStopping"] = null;
        var recipe = Recipe.Of(run, settings);
        // It keeps from learning labels by heart; without labels it keeps from answering as the teacher does.
        if (recipe.Share == "1") json["regularization"]!["dropout"] = null;
        // Without rows of its own fold a student has none to be calibrated on, unless some are kept.
        if (teacher.Data.HasOutOfFold) json["data"]!.AsObject().Remove("validationFraction");
        var given = JsonNode.Parse(SpecDocument.Empty.With(settings).ToJson())!.AsObject();
        FollowKinds(json, teacher, given);
        var epochs = given["training"]?["epochs"]?.GetValue<int>() ?? (int)Math.Clamp(Math.Round(recipe.Longer * teacher.Training.Epochs), 1, MostEpochs);
        FollowEpochs(json, teacher.Training, epochs);
        return SpecDocument.Parse(json.ToJsonString()).With(
        [
            ("name", name), ("members", $"{members}"), ("distillation.teacher", teachersName), ("distillation.mixed", $"{recipe.Mixed}"), ("distillation.validation", "true"),
            ("distillation.warm", recipe.Warm), ("distillation.share", recipe.Share),
            ("training.epochs", $"{epochs}"), .. settings,
        ]);
    }

    /// <summary>What goes with a kind of network, optimizer or schedule goes when another is chosen, as it does of a variant.</summary>
    /// <param name="given">What the settings say.</param>
    private static void FollowKinds(JsonObject json, EnsembleSpec teacher, JsonObject given)
    {
        var (was, training) = (JsonNode.Parse(teacher.ToJson())!.AsObject(), json["training"]!.AsObject());
        var schedule = training["schedule"]!.AsObject();
        // A rate that nobody chose is not written down: students, their variants and searches have each kind's own.
        var isChosen = teacher.Training.Schedule.LearningRate != SpecDefaults.LearningRateOf(teacher.Model.Kind, teacher.Training.Optimizer.Kind);
        if (!isChosen || OtherKind("training.optimizer") is not null) schedule.Remove("learningRate");
        if (OtherKind("model") is not null) json.Remove("model");
        if (OtherKind("training.optimizer") is not null)
        {
            training.Remove("optimizer");
            json["regularization"]!.AsObject().Remove("weightDecay");
        }

        if (OtherKind("training.schedule") is { } shape)
        {
            foreach (var key in SpecSchema.Keys.Where(key => key.Section!.Path == "training.schedule" && !key.AppliesTo(shape))) schedule.Remove(key.Name);
            schedule.Remove("kind");
        }

        string? OtherKind(string section) => KindOf(given, section) is { } kind && kind != KindOf(was, section) ? kind : null;
    }

    /// <summary>Milestones that nobody chose follow from the student's epochs; others lie at the same share of them.</summary>
    private static void FollowEpochs(JsonObject json, TrainingSpec teacher, int epochs)
    {
        if (teacher.Schedule.Milestones is not { } milestones || json["training"]!["schedule"]!["milestones"] is null) return;
        json["training"]!["schedule"]!["milestones"] = milestones.Equals(SpecDefaults.Milestones(teacher.Epochs)) ? null
            : new JsonArray([.. milestones.Select(milestone => Math.Max(1, milestone * (long)epochs / teacher.Epochs)).Distinct().Select(milestone => JsonValue.Create(milestone))]);
    }

    private static string? KindOf(JsonObject spec, string section) =>
        section.Split('.').Aggregate((JsonNode?)spec, (node, name) => node?[name])?["kind"]?.GetValue<string>();

    /// <param name="Longer">How many times its teacher's epochs a student trains.</param>
    /// <param name="Mixed">
    /// Mixed rows for each training row. A teacher that knows its training rows by heart says little of them that the labels do not say;
    /// of what lies between them it says what it has learned.
    /// </param>
    private sealed record Recipe(double Longer, int Mixed, string Share, string Warm)
    {
        /// <summary>Few images leave much between them; of tables more mixed rows say nothing more.</summary>
        private const int OfFewImages = 16, OfOthers = 4;

        /// <summary>Numbers that mixed images may have: 256 MiB.</summary>
        private const long MostNumbers = 1 << 26;

        public static Recipe Of(RunDescription run, IReadOnlyList<(string Path, string Value)> settings)
        {
            // Rows that measure members which must not have seen them are mixed with none.
            var isApart = settings.Any(setting => setting.Path is "data.folds" or "data.bootstrap");
            if (run.Spec.Training.Epochs < ManyEpochs) return new Recipe(Longer: 4, Mixed: isApart ? 0 : 1, Share: "0.7", Warm: "false");
            var numbers = run.Data.Splits.Train * run.Data.InputShape.Aggregate(1L, (product, size) => product * size);
            var areFewImages = run.Data.InputShape.Length == 3 && numbers * OfFewImages <= MostNumbers && !settings.Any(setting => setting.Path == "distillation.mixed");
            var mixed = isApart ? 0 : areFewImages ? OfFewImages : OfOthers;
            // More rows make longer epochs: there are as many steps with either. A network that begins at random has more to learn.
            var isOther = settings.Any(setting => setting.Path.Split('.')[0] is "model" or "variants" or "search");
            return new Recipe(Longer: (isOther ? 2 : 1) * (mixed > OfOthers ? (1.0 + OfOthers) / (1 + mixed) : 1), mixed, Share: "1", Warm: "true");
        }
    }
}
