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
    public static RunDescription Read(RunFolder folder) => new(ReadSpec(folder), DataOf(Text(folder, RunFolder.DataFile), folder.Data));

    /// <summary>The spec alone: a run whose data only another program can read is watched all the same.</summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    public static EnsembleSpec ReadSpec(RunFolder folder) => SpecOf(Text(folder, RunFolder.SpecFile), folder.Spec);

    /// <exception cref="InvalidDataException">This program cannot read one of the two.</exception>
    public static RunDescription Of(RunDefinition definition) => new(SpecOf(definition), DataOf(definition.Data, RunFolder.DataFile));

    /// <exception cref="InvalidDataException">This program cannot read it.</exception>
    public static EnsembleSpec SpecOf(RunDefinition definition) => SpecOf(definition.Spec, RunFolder.SpecFile);

    private static EnsembleSpec SpecOf(string json, string file)
    {
        try
        {
            return EnsembleSpec.FromJson(json);
        }
        catch (SpecException e)
        {
            throw new InvalidDataException($"{file} is damaged: {e.Message}", e);
        }
    }

    private static DataDescription DataOf(string json, string file)
    {
        try
        {
            return DataDescription.FromJson(json, file);
        }
        catch (DataException e)
        {
            throw new InvalidDataException(e.Message, e);
        }
    }

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
