using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>The record of a run, and the files that its silos share.</summary>
internal sealed class Store
{
    private readonly World _world;
    private readonly Dictionary<string, string> _files = [];
    private readonly HashSet<string> _damaged = [];
    private readonly string[] _metrics;
    private readonly Laws _laws;
    private readonly Records _records;

    public Store(World world, Course course)
    {
        (_world, _metrics, _laws) = (world, [.. Enumerable.Repeat("", course.Members)], new Laws(course));
        _records = world.IsCluster ? new RedisRecords(world, Written) : new FileRecords(world, Written);
    }

    /// <summary>The truth about the run.</summary>
    public RunRecord? Record => _records.Record;

    /// <summary>The run.json.</summary>
    public RunStatus? Status { get; private set; }

    public bool IsAway { get; set; }

    public bool IsDiskFull { get; set; }

    /// <summary>Milliseconds that an operation takes at most.</summary>
    public int Slowness { get; set; } = 10;

    public IEnumerable<WeightFile> Damageable => Record?.Members.SelectMany(member => member.Checkpoints) ?? [];

    /// <summary>Compares the version and adds what has changed; the word of a success may be lost.</summary>
    public void Write(Process by, WriteRecord write, RecordVersion version, Action<RecordVersion?, Exception?> done)
    {
        var (fails, loses) = (_world.IsWild && _world.Dice.OneIn(150), _world.IsWild && _world.Dice.OneIn(2));
        by.After(_world.Dice.Between(1, Slowness), () =>
        {
            var isAway = _world.IsCluster ? IsAway || by.IsCutFromStore : IsDiskFull;
            Exception? error = isAway || fails ? _world.IsCluster ? Faults.Away : Faults.DiskFull : null;
            var reaches = error is null || (fails && loses && !isAway);
            _records.Write(by, this, write, version, reaches, (next, failed) => by.After(_world.Dice.Between(1, Slowness), () => done(next, error ?? failed)));
        });
    }

    public void Read(Process by, Action<StoredRun?, Exception?> done) => by.After(_world.Dice.Between(1, Slowness), () =>
    {
        if (_world.IsCluster && (IsAway || by.IsCutFromStore)) done(null, Faults.Away);
        else done(_records.Read(), null);
    });

    /// <summary>The store of the records comes back as it was a while ago.</summary>
    public void Restore()
    {
        _records.Restore();
        Restored++;
    }

    /// <summary>How often.</summary>
    public int Restored { get; private set; }

    private void Written(Process by, RunRecord? before, RunRecord after)
    {
        if (_world.Log is not null) _world.Say($"{by.Name} writes the record: {Short(after)}");
        _laws.Written(before, after, this);
    }

    /// <returns>Null if the disk takes it.</returns>
    public Exception? WriteFile(Process by, string file, string sha)
    {
        if (IsDiskFull || (_world.IsWild && _world.Dice.OneIn(400))) return Faults.DiskFull;
        if (_world.Log is not null) _world.Say($"{by.Name} writes {file}");
        _files[file] = sha;
        _damaged.Remove(file);
        return null;
    }

    /// <returns>Null if it is missing or damaged.</returns>
    public string? ReadFile(WeightFile file) =>
        _files.TryGetValue(file.File, out var sha) && sha == file.Sha256 && !_damaged.Contains(file.File) ? sha : null;

    public bool Has(WeightFile file) => _files.GetValueOrDefault(file.File) == file.Sha256;

    public string? ShaOf(string file) => _files.GetValueOrDefault(file);

    public void Damage(string file)
    {
        if (_files.ContainsKey(file)) _damaged.Add(file);
    }

    public void Delete(Process by, WeightFile file)
    {
        if (_world.Log is not null) _world.Say($"{by.Name} deletes {file.File}");
        if (Record?.Names(file) == true) World.Never($"{by.Name} deletes {file.File}, which the record names");
        _files.Remove(file.File);
    }

    public Exception? Append(Process by, AppendMetrics lines)
    {
        var before = lines.End - lines.Lines.Length;
        _laws.Appended(Record!, lines);
        if (IsDiskFull || (_world.IsWild && _world.Dice.OneIn(200))) return Faults.DiskFull;
        var file = _metrics[lines.Member];
        if (file.Length < before) World.Never($"{by.Name} appends lines of member {lines.Member} at {before}, and the file has {file.Length} bytes");
        if (file.Length < lines.End) _metrics[lines.Member] = string.Concat(file.AsSpan(0, (int)before), lines.Lines);
        return null;
    }

    public Exception? Show(Process by, RunStatus status)
    {
        if (IsDiskFull) return Faults.DiskFull;
        if (_world.Log is not null) _world.Say($"{by.Name} shows {status.State}, {status.Steps} steps");
        Status = status;
        return null;
    }

    /// <summary>What must be true when the run has ended.</summary>
    /// <inheritdoc cref="Laws.Ended"/>
    public void CheckEnd(int breaks) => _laws.Ended(Record!, Status, _metrics, this, _files.Keys, breaks);

    private static string Short(RunRecord record) => record.State + " " + string.Join(" ", record.Members.Select(member =>
        $"[{member.Index} {member.State} a{member.Attempt} s{member.Step} e{member.Ema?.Step} p{member.Pending?.Step} f{member.Folded.Length}{(member.UnwrittenMetrics is null ? "" : " u")}]"))
        + $" {record.Snapshots().Length} snapshots";
}
