namespace DistributedEnsemble.Training.Safetensors;

/// <summary>A safetensors file that cannot be trusted. The message names the file and what is wrong with it, in one line.</summary>
public sealed class SafetensorsException(string message, Exception? inner = null) : Exception(message, inner);
