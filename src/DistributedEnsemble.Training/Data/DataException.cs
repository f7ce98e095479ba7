namespace DistributedEnsemble.Training.Data;

/// <summary>Data that cannot be found or used. The message is one line for people, and names the file and the place.</summary>
public sealed class DataException(string message, Exception? inner = null) : Exception(message, inner);
