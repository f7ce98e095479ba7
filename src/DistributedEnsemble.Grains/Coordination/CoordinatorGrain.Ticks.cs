using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Coordination;

/// <content>Time that passes, told twice a second while the run is held.</content>
internal sealed partial class CoordinatorGrain
{
    /// <summary>So many ticks, ten seconds, without a status are some with the last one again: the process lives.</summary>
    private const int TicksOfLife = 20;

    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(500);

    private IGrainTimer? _timer;
    private SiloDeaths? _deaths;
    private int _ticks;

    /// <summary>The first at once: one that takes the place of another, with its silo, has members of that silo to give to others.</summary>
    private void StartTicking()
    {
        _timer = this.RegisterGrainTimer(_ => TickAsync(), new GrainTimerCreationOptions { DueTime = TimeSpan.Zero, Period = s_period, Interleave = true, KeepAlive = true });
        _deaths = new SiloDeaths(_silos, () => _timer?.Change(TimeSpan.Zero, s_period));
    }

    private void StopTicking()
    {
        _deaths?.Dispose();
        _timer?.Dispose();
        (_deaths, _timer) = (null, null);
    }

    private async Task TickAsync()
    {
        var timer = _timer;
        var isStopRequested = await Task.Run(IsStopRequested);
        if (_state.LanesEndWithProcess && !_folder.Storage.Grows && _ticks % TicksOfLife == 0) await Task.Run(() => Try(ShowLife));
        // The request was for those who held the run when it was seen.
        if (_timer is null || _timer != timer) return;
        var dead = _state.Record.Members.Where(member => member is { State: MemberState.Training, SiloAddress: not null }).Select(member => member.SiloAddress!)
            .Distinct().Where(silo => _silos.GetApproximateSiloStatus(SiloAddress.FromParsableString(silo)) == SiloStatus.Dead);
        Apply(new Ticked(isStopRequested, [.. dead]));
    }

    /// <summary>Whether another process has asked for it, by a file: a cluster is asked itself, and to look for an object costs something.</summary>
    private bool IsStopRequested()
    {
        if (!_state.LanesEndWithProcess) return false;
        if (!_folder.Storage.Grows && ++_ticks % 10 != 0) return false;
        return _folder.Exists(RunFolder.StopRequestFile);
    }
}
