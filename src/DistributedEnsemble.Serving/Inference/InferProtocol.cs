namespace DistributedEnsemble.Serving.Inference;

/// <summary>The names on which client and server agree.</summary>
public static class InferProtocol
{
    /// <summary>The one tensor that a model takes.</summary>
    public const string InputName = "input";

    /// <summary>The header that says how many bytes of a body are JSON; the numbers follow.</summary>
    public const string JsonLength = "Inference-Header-Content-Length";
}
