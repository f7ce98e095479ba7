using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Hosting;

namespace DistributedEnsemble.Client.Clusters;

/// <summary>A first look at a folder that may be another machine's, which then may not answer: the system would wait for ever.</summary>
internal static class FirstLook
{
    /// <param name="place">The folder, for people.</param>
    /// <exception cref="StorageAwayException">It says nothing; what looks goes on behind, and is forgotten.</exception>
    public static async Task<T> AtAsync<T>(Func<T> look, string place, TimeSpan patience)
    {
        try
        {
            return await Task.Run(look).WaitAsync(patience);
        }
        catch (TimeoutException exception)
        {
            throw new StorageAwayException(
                $"{place} has said nothing for {patience.TotalSeconds:0.#} s: is it mounted from a machine that does not answer? ({TimingOptions.Name(nameof(TimingOptions.StoreAnswer))} is how long is waited.)", exception);
        }
    }

    /// <inheritdoc cref="AtAsync"/>
    public static T At<T>(Func<T> look, string place, TimeSpan patience) => AtAsync(look, place, patience).GetAwaiter().GetResult();
}
