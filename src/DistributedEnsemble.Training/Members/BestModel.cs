using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Members;

/// <summary>The model of a member that did best on the validation rows so far.</summary>
/// <param name="Nll">Its mean negative log-likelihood there.</param>
public sealed record BestModel(int Step, double Nll, Weights Weights) : IDisposable
{
    public BestModel Copy() => this with { Weights = Weights.Copy() };

    public void Dispose() => Weights.Dispose();
}
