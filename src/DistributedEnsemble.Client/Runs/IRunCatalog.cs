namespace DistributedEnsemble.Client.Runs;

/// <summary>The runs of a folder, read from their files alone: nothing needs to be running.</summary>
internal interface IRunCatalog
{
    IReadOnlyList<RunStatus> List();

    /// <returns>The run, or null if there is none of that name.</returns>
    RunStatus? Find(string name);

    /// <summary>Metrics on the test split, computed in this process.</summary>
    EvaluationReport Evaluate(string name, ConstituentChoice choice, CancellationToken cancellation);
}
