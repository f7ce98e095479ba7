namespace DistributedEnsemble.Training.Tests;

/// <summary>Plans of small specs on the built-in data.</summary>
internal static class Plans
{
    private static readonly DatasetRegistry s_datasets = new();
    private static readonly Lazy<Dataset> s_digits = new(() => s_datasets.Resolve("digits").Load(new DataFolders()));

    public static EnsembleSpec Spec(string json)
    {
        var document = SpecDocument.Parse(json);
        return document.Resolve(s_datasets.Resolve(document.Dataset).Defaults);
    }

    public static TrainingPlan Of(string json) => new(Spec(json), s_digits.Value, new NetworkRegistry());
}
