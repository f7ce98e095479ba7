namespace DistributedEnsemble.Training;

/// <summary>The mean of each channel's pixels.</summary>
public sealed record ChannelMean : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        builder.Shape = [builder.Shape[0]];
        return (_, inputs, _) => inputs.mean([2, 3]);
    }
}
