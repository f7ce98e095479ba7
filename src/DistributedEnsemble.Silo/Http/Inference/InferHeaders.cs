namespace DistributedEnsemble.Silo.Http;

internal static class InferHeaders
{
    /// <summary>How many bytes of a body are JSON; the numbers follow.</summary>
    public const string JsonLength = "Inference-Header-Content-Length";
}
