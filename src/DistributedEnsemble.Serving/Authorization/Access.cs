namespace DistributedEnsemble.Serving.Authorization;

/// <summary>Which key an endpoint asks for, where keys are set.</summary>
internal enum Access
{
    /// <summary>None: probes.</summary>
    Anyone,

    /// <summary>An inference key, or an admin key.</summary>
    Inference,

    /// <summary>An admin key.</summary>
    Admin,
}
