using System.Collections.Immutable;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Scheduling;

/// <summary>Every decision of the scheduler, as a function: who gets a lane, who moves, who is silent, who is suspected.</summary>
internal static class PlacementMachine
{
    /// <param name="now">Since any moment, as long as it is the same for one state.</param>
    public static (PlacementState State, IReadOnlyList<PlacementEffect> Effects) On(PlacementState state, PlacementEvent happened, TimeSpan now) =>
        new PlacementTurn(state, now).Take(happened);
}

/// <summary>What one event leads to.</summary>
internal sealed class PlacementTurn(PlacementState state, TimeSpan now)
{
    /// <summary>A member that moves leaves a lane, and takes another: only then is the next one looked at.</summary>
    private static readonly TimeSpan s_betweenMoves = TimeSpan.FromSeconds(3);

    /// <summary>Whether lanes are even takes all that silos do: it is not looked at with every member that ends.</summary>
    private static readonly TimeSpan s_betweenLooks = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan s_betweenListings = TimeSpan.FromSeconds(5);

    private readonly List<PlacementEffect> _effects = [];
    private PlacementState _state = state;

    public (PlacementState, IReadOnlyList<PlacementEffect>) Take(PlacementEvent happened)
    {
        switch (happened)
        {
            case SiloAnnounced announced: OnAnnounced(announced.Report); break;
            case MembershipChanged membership: _state = _state with { Active = membership.Active, IsDue = true }; break;
            case RunAdded added: Add(added.Run, added.Members); break;
            case RunCounted counted: Count(counted.Run, counted.Members); break;
            case RunChanged changed: OnChanged(changed.Run); break;
            case PlacementDue: OnDue(); break;
            case RunsListed listed: foreach (var run in listed.Runs) Add(run, 0, isNews: false); break;
            case RunAnswered answered: OnAnswered(answered); break;
            case RunUnknown unknown: Remove(unknown.Run); break;
            case RunSilent silent: Change(silent.Run, run => run with { Status = null, AskedAt = null, Silences = run.Silences + 1, SilentAt = now }); break;
            case OfferAnswered answered: OnOfferAnswered(answered.Number, answered.Attempts); break;
            default: throw new InvalidOperationException($"{happened.GetType().Name} is no event of a scheduler.");
        }

        if (_state.IsDue) Place();
        return (_state, _effects);
    }

    private void OnAnnounced(SiloReport report)
    {
        var known = new KnownSilo(Sum(report), now);
        var index = IndexOf(report.Silo);
        var silos = index < 0 ? _state.Silos.Add(known) : _state.Silos.SetItem(index, known);
        // Those that are gone never speak again.
        if (silos.Any(IsGone)) silos = silos.RemoveAll(IsGone);
        _state = _state with { Silos = silos, IsDue = true };

        bool IsGone(KnownSilo silo) => now - silo.HeardAt >= _state.Timing.Silence && !_state.Active.Contains(silo.Report.Silo);
    }

    private void Add(RunKey run, int members, bool isNews = true)
    {
        if (Find(run) is null) _state = _state with { Runs = _state.Runs.Add(new ActiveRun(run) { Members = members }), IsDue = true };
        else if (isNews)
        {
            Count(run, members);
            OnChanged(run);
        }
    }

    private void Count(RunKey run, int members) => Change(run, known => known.Members == 0 ? known with { Members = members } : known);

    private void OnChanged(RunKey run)
    {
        Change(run, known => known with { MayWait = true });
        _state = _state with { IsDue = true };
    }

    private void OnDue()
    {
        _state = _state with { Runs = [.. _state.Runs.Select(run => run.IsAskedAt(now) ? run with { MayWait = true } : run)], IsDue = true };
        foreach (var offer in _state.Offers.Where(offer => now - offer.At > _state.Timing.OfferAnswer)) OnOfferAnswered(offer.Number, []);
        if (_state.ListedAt is { } at && now - at <= s_betweenListings) return;
        _state = _state with { ListedAt = now };
        Do(new ListRuns());
    }

    private void OnAnswered(RunAnswered answered)
    {
        if (Find(answered.Run) is not { } run) return;
        var status = answered.Status;
        var isStill = status.State != RunState.Running && status.Attempts.All(attempt => attempt == 0);
        if (isStill && !run.MayWait)
        {
            Remove(run.Run);
            return;
        }

        var heard = run with { Threads = answered.Threads, Priority = answered.Priority, Dataset = answered.Dataset, Networks = answered.Networks, Task = answered.Task, Members = status.Attempts.Length, Status = status, AskedAt = null, Silences = 0 };
        // They did not take what they were given: until they speak again they are given nothing.
        if (heard.Waiting > 0) foreach (var silo in run.Refusing) Suspect(silo);
        Change(run.Run, _ => heard with { Refusing = [] });
        _state = _state with { IsDue = true };
    }

    private void OnOfferAnswered(long number, ImmutableArray<MemberAttempt> assigned)
    {
        // One that comes about later is in its silo's next report.
        if (_state.Offers.FirstOrDefault(offer => offer.Number == number) is not { Number: > 0 } offer) return;
        _state = _state with { Offers = _state.Offers.Remove(offer) };
        Change(offer.Run, run => run with { Offered = run.Offered.Remove((offer.Silo, offer.Members)) });
        if (!assigned.IsEmpty) Use(offer, assigned);
        if (assigned.Length < offer.Members)
        {
            Change(offer.Run, run => run with { MayWait = true, Refusing = run.Refusing.Add(offer.Silo) });
            _state = _state with { IsDue = true };
        }
    }

    /// <summary>The silo's own report and the run's will say so too; until then the lanes count as used.</summary>
    private void Use(Offer offer, ImmutableArray<MemberAttempt> attempts)
    {
        var index = IndexOf(offer.Silo);
        if (index < 0) return;
        var known = _state.Silos[index];
        var there = known.Report.Uses.Where(use => use.Run == offer.Run).Select(use => use.Attempt).ToHashSet();
        ImmutableArray<LaneUse> uses = [.. known.Report.Uses, .. attempts.Where(attempt => !there.Contains(attempt)).Select(attempt => new LaneUse(offer.Run, attempt, offer.Lanes))];
        _state = _state with { Silos = _state.Silos.SetItem(index, known with { Lanes = Sum(known.Report with { Uses = uses }) }) };
        Change(offer.Run, run => run.Status is { } status ? run with { Status = With(status, attempts, known.Report.Endpoint) } : run);
    }

    private static RunLoad With(RunLoad load, ImmutableArray<MemberAttempt> attempts, string silo)
    {
        var known = load.Attempts.ToBuilder();
        var added = 0;
        foreach (var attempt in attempts)
        {
            if (attempt.Member >= known.Count || known[attempt.Member] >= attempt.Attempt) continue;
            if (known[attempt.Member] == 0) added++;
            known[attempt.Member] = attempt.Attempt;
        }

        var before = load.Silos.FirstOrDefault(other => other.Silo == silo).Members;
        return load with
        {
            Attempts = known.MoveToImmutable(),
            Waiting = Math.Max(0, load.Waiting - added),
            Silos = load.Silos.RemoveAll(other => other.Silo == silo).Add(new SiloMembers(silo, before + added)),
        };
    }

    /// <summary>
    /// Gives free lanes to waiting members: to the run that holds the fewest lanes for its priority, on the silo that has the fewest members.
    /// </summary>
    private void Place()
    {
        if (AskAll()) return;
        var isComplete = now - _state.Since > _state.Timing.FirstReports || _state.Active.All(silo => IndexOf(silo) >= 0);
        if (!isComplete) return;
        _state = _state with { IsDue = false };
        if (_state.Runs.Any(run => run.Waiting > 0))
        {
            var silos = _state.AliveAt(now);
            SayWhoLacks(silos);
            foreach (var offer in new Placement(_state.Runs, silos).All().GroupBy(next => (next.Run.Run, next.Silo.Silo)).ToList())
            {
                var (run, silo) = offer.First();
                Offer(run, silo, offer.Count());
            }
        }

        Move();
    }

    /// <summary>Once for each run and silo.</summary>
    private void SayWhoLacks(IReadOnlyList<SiloLanes> silos)
    {
        foreach (var run in _state.Runs.Where(run => run.Waiting > 0))
        {
            foreach (var silo in silos.Select(silo => silo.Report))
            {
                if (run.WhatLacks(silo) is not { } what || run.Lacking.Contains(silo.Silo)) continue;
                Do(new SayWhatLacks(run.Run, silo.Endpoint, what));
                Change(run.Run, known => known with { Lacking = known.Lacking.Add(silo.Silo) });
            }
        }
    }

    /// <returns>Whether one may still say in time how it is.</returns>
    private bool AskAll()
    {
        var isAwaited = false;
        for (var i = 0; i < _state.Runs.Length; i++)
        {
            var run = _state.Runs[i];
            if (run.AskedAt is null && run.MayWait)
            {
                Do(new AskRun(run.Run));
                run = run with { MayWait = false, AskedAt = now };
                _state = _state with { Runs = _state.Runs.SetItem(i, run) };
            }

            if (run.AskedAt is not { } at) continue;
            if (now - at <= _state.Timing.RunAnswer) isAwaited = true;
            else if (run.Status is not null) _state = _state with { Runs = _state.Runs.SetItem(i, run with { Status = null }) };
        }

        return isAwaited;
    }

    private void Offer(ActiveRun run, SiloReport silo, int members)
    {
        var offer = new Offer(_state.LastOffer + 1, run.Run, silo.Silo, members, run.Threads!.Value, now);
        _state = _state with { LastOffer = offer.Number, Offers = _state.Offers.Add(offer) };
        Change(run.Run, known => known with { Offered = known.Offered.Add((silo.Silo, members)), LastOffer = offer.Number });
        Do(new OfferLanes(offer.Number, run.Run, new LaneGrant(silo.Silo, silo.Endpoint, silo.Machine, members)));
    }

    private void Move()
    {
        if (!_state.Offers.IsEmpty || (_state.Moving is { } last && IsMoving(last)) || now - _state.LookedAt < s_betweenLooks) return;
        _state = _state with { LookedAt = now };
        var placement = new Placement(_state.Runs, _state.AliveAt(now));
        var choice = placement.Share() ?? placement.Move();
        Look(placement.Looked);
        if (choice is not var (run, attempt)) return;
        _state = _state with { Moving = new Move(run.Run, attempt, now) };
        Do(new MoveMember(run.Run, attempt));
    }

    private bool IsMoving(Move move)
    {
        var time = now - move.At;
        if (time < s_betweenMoves) return true;
        return time < _state.Timing.Move && Find(move.Run)?.Status?.IsTraining(move.Attempt) == true;
    }

    private void Suspect(string silo)
    {
        var index = IndexOf(silo);
        if (index >= 0) _state = _state with { Silos = _state.Silos.RemoveAt(index) };
    }

    private SiloLanes Sum(SiloReport report)
    {
        Look(report.Uses.Length);
        return SiloLanes.Of(report);
    }

    private void Look(long uses) => _state = _state with { Looked = _state.Looked + uses };

    private void Do(PlacementEffect effect) => _effects.Add(effect);

    private ActiveRun? Find(RunKey run) => IndexOf(run) is >= 0 and var index ? _state.Runs[index] : null;

    private void Change(RunKey run, Func<ActiveRun, ActiveRun> change)
    {
        if (IndexOf(run) is >= 0 and var index) _state = _state with { Runs = _state.Runs.SetItem(index, change(_state.Runs[index])) };
    }

    private void Remove(RunKey run)
    {
        if (IndexOf(run) is >= 0 and var index) _state = _state with { Runs = _state.Runs.RemoveAt(index), IsDue = true };
    }

    private int IndexOf(RunKey run)
    {
        for (var i = 0; i < _state.Runs.Length; i++)
        {
            if (_state.Runs[i].Run == run) return i;
        }

        return -1;
    }

    private int IndexOf(string silo)
    {
        for (var i = 0; i < _state.Silos.Length; i++)
        {
            if (_state.Silos[i].Report.Silo == silo) return i;
        }

        return -1;
    }
}
