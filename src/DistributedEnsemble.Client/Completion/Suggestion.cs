namespace DistributedEnsemble.Client.Completion;

/// <summary>A word that may stand where a line is completed, and what it means; empty, where its name says all.</summary>
internal sealed record Suggestion(string Word, string Meaning = "");
