namespace DistributedEnsemble.Grains.Files;

/// <summary>The folder of the runs, as a setting names it, cannot be made or written; the message is one line for people.</summary>
internal sealed class RunsFolderException(string folder, Exception inner)
    : IOException($"--runs {folder} cannot be used. {inner.Message} Give another, or have it made.", inner);
