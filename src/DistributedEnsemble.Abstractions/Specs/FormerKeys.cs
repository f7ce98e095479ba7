using System.Text.Json;

namespace DistributedEnsemble.Specs;

/// <summary>Keys that specs had in former times: runs that recorded them stay readable.</summary>
/// <param name="WasBFloat16"><inheritdoc cref="TrainingSpec.WasBFloat16" path="/summary"/></param>
internal readonly record struct FormerKeys(bool WasBFloat16)
{
    private const string Precision = "training.precision";

    public static FormerKeys Of(JsonElement spec) => new(
        spec.ValueKind is JsonValueKind.Object && spec.TryGetProperty("training", out var training) && training.ValueKind is JsonValueKind.Object
        && training.TryGetProperty("precision", out var precision) && precision.ValueKind is JsonValueKind.String && precision.ValueEquals("bfloat16"));

    /// <summary>What a new spec that names such a key is told; null of any other.</summary>
    public static SpecException? Error(SpecSection section, string name) => section.PathOf(name) is not Precision ? null : new SpecException(
        $"{Precision} is a key no more: all kernels compute in float32 (leave the key out).");
}
