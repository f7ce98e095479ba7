using System.Text.Json;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Training.Evaluation;

/// <summary>
/// The fits of a run, kept as validation/KEY.json in its folder by whoever computes one first. They say nothing that its weights
/// and data do not: one that is missing or damaged is computed again, and one that cannot be written, or of which there are many, is not kept.
/// </summary>
internal static class ValidationFits
{
    /// <summary>Of one run: clients choose, and one that lists many models is long.</summary>
    internal const int MostKept = 64;

    private static readonly JsonSerializerOptions s_json = new(RunStatusJson.Options) { WriteIndented = true };

    /// <returns>Null without a validation split.</returns>
    public static async Task<ValidationFit?> OfAsync(RunFolder folder, TrainingPlan plan, ChosenConstituents chosen, IConstituents models)
    {
        if (plan.Measuring is null) return null;
        if (Stored(folder, chosen) is { Fit: not null, Conformal: not null } stored && (stored.Exits is not null || plan.Measuring == DataPart.OutOfFold)) return stored;
        var fit = await ValidationFit.OfAsync(plan, chosen, models);
        TryWrite(folder, NameOf(chosen), fit);
        return fit;
    }

    /// <returns>Null if there is none that was computed from these models.</returns>
    public static ValidationFit? Stored(RunFolder folder, ChosenConstituents chosen) =>
        Read(folder, NameOf(chosen)) is { Constituents.IsDefault: false } fit
        && fit.Constituents.Select(fitted => fitted.Model).SequenceEqual(chosen.Constituents) ? fit : null;

    private static string NameOf(ChosenConstituents chosen) => RunFolder.Validation(ValidationFit.KeyOf(chosen));

    private static ValidationFit? Read(RunFolder folder, string name)
    {
        try
        {
            return JsonSerializer.Deserialize<ValidationFit>(folder.ReadAllText(name), s_json);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException or JsonException)
        {
            return null;
        }
    }

    private static void TryWrite(RunFolder folder, string name, ValidationFit fit)
    {
        try
        {
            if (!folder.Exists(name) && folder.Storage.List($"{folder.Name}/{RunFolder.Validations}/").Take(MostKept).Count() == MostKept) return;
            folder.Write(name, stream =>
            {
                JsonSerializer.Serialize(stream, fit, s_json);
                return fit;
            });
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            // A run on a read-only or full disk can still be evaluated.
        }
    }
}
