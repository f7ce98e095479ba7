using Orleans.Runtime;

namespace DistributedEnsemble.Grains;

/// <content>Notices members whose lanes are gone, and lets them wait for others.</content>
internal sealed partial class CoordinatorGrain
{
    /// <summary>
    /// A lane reports several times a second. This long without a word, from a silo that nobody calls dead, its order never
    /// came, or its silo does not hear of its end.
    /// </summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(20);

    /// <summary>A coordinator that wrote nothing for so long makes sure that it still is the one.</summary>
    private static readonly TimeSpan s_fence = TimeSpan.FromSeconds(1.5);

    private readonly Dictionary<int, (int Attempt, long At)> _heard = [];
    private bool _isRecovering;
    private long _writtenAt;

    private void Heard(MemberAttempt by) => _heard[by.Member] = (by.Attempt, _time.GetTimestamp());

    /// <returns>Whether this activation is still the one that knows.</returns>
    private async Task<bool> RecoverAsync()
    {
        if (_isRecovering) return false;
        _isRecovering = true;
        try
        {
            // An activation that was paused or cut off, and replaced meanwhile, learns it here, before it shows anything.
            if (_ownership.OutlivesProcess && _time.GetElapsedTime(_writtenAt) > s_fence) await _writer.WriteAsync();
            await WriteAllMetricsAsync();
            var lost = Record.Members.Where(member => member.State == MemberState.Training && IsLost(member)).ToList();
            foreach (var member in lost)
            {
                _log.MemberLost(_run, member.Index, member.Silo);
                LetWait(member.Index);
            }

            if (lost.Count > 0)
            {
                await _writer.WriteAsync();
                await ChangedAsync();
            }

            await EndIfDoneAsync();
            return true;
        }
        catch (OrleansException)
        {
            // The record could not be written, and this activation is on its way out: the next one sees the same.
            return false;
        }
        finally
        {
            _isRecovering = false;
        }
    }

    private async Task WriteAllMetricsAsync()
    {
        foreach (var member in Record.Members.Where(member => member.UnwrittenMetrics is not null))
        {
            using var turn = await _metrics.EnterAsync();
            await TryWriteMetricsAsync(member.Index);
        }
    }

    private bool IsLost(MemberRecord member)
    {
        // Lanes of this process end only with it.
        if (!_ownership.OutlivesProcess) return false;
        if (member.SiloAddress is { } silo && _silos.GetApproximateSiloStatus(SiloAddress.FromParsableString(silo)) == SiloStatus.Dead) return true;
        if (_heard.TryGetValue(member.Index, out var heard) && heard.Attempt == member.Attempt) return _time.GetElapsedTime(heard.At) > s_silence;
        // From now on it has time to speak.
        _heard[member.Index] = (member.Attempt, _time.GetTimestamp());
        return false;
    }
}
