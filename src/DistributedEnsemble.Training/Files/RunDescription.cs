using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Training.Files;

/// <summary>What a run's folder says of the run besides its weights: enough to use them.</summary>
/// <param name="Spec">The resolved spec.</param>
/// <param name="Data">The data that it was trained on.</param>
internal sealed record RunDescription(EnsembleSpec Spec, DataDescription Data)
{
    /// <exception cref="InvalidDataException">A file is missing or damaged; the message names it.</exception>
    public static RunDescription Read(RunFolder folder)
    {
        try
        {
            return new RunDescription(EnsembleSpec.FromJson(Text(folder, RunFolder.SpecFile)), DataDescription.FromJson(Text(folder, RunFolder.DataFile), folder.Data));
        }
        catch (SpecException e)
        {
            throw new InvalidDataException($"{folder.Spec} is damaged: {e.Message}", e);
        }
        catch (DataException e)
        {
            throw new InvalidDataException(e.Message, e);
        }
    }

    public static RunDescription Of(RunDefinition definition) => new(EnsembleSpec.FromJson(definition.Spec), DataDescription.FromJson(definition.Data));

    private static string Text(RunFolder folder, string name)
    {
        try
        {
            return folder.ReadAllText(name);
        }
        catch (FileNotFoundException exception)
        {
            throw new InvalidDataException($"{folder.Path(name)} is missing: it belongs to the run, and nothing can be done without it.", exception);
        }
    }
}
