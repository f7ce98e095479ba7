namespace DistributedEnsemble.Training.Safetensors;

/// <summary>Numbers and names of the format: u64 header length, JSON header, data buffer.</summary>
internal static class SafetensorsFormat
{
    public const string MetadataName = "__metadata__";
    public const int LengthBytes = 8;
    public const int Alignment = 8;

    /// <summary>The limit of the reference implementation.</summary>
    public const long LargestHeader = 100_000_000;
}
