using DistributedEnsemble.Grains;

namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>The record of a run, and the files that its silos share.</summary>
internal sealed class Store(World world, Course course)
{
    private readonly Dictionary<string, string> _files = [];
    private readonly HashSet<string> _damaged = [];
    private readonly string[] _metrics = [.. Enumerable.Repeat("", course.Members)];
    private readonly Laws _laws = new(course);

    public RunRecord? Record { get; private set; }

    public long Version { get; private set; }

    /// <summary>The run.json.</summary>
    public RunStatus? Status { get; private set; }

    public bool IsAway { get; set; }

    public bool IsDiskFull { get; set; }

    /// <summary>Milliseconds that an operation takes at most.</summary>
    public int Slowness { get; set; } = 10;

    public IEnumerable<WeightFile> Damageable => Record?.Members.SelectMany(member => member.Checkpoints) ?? [];

    /// <summary>Compares the version and writes; the word of a success may be lost.</summary>
    public void Write(Process by, RunRecord record, long expected, Action<long, Exception?> done)
    {
        var (fails, loses) = (world.IsWild && world.Dice.OneIn(150), world.IsWild && world.Dice.OneIn(2));
        by.After(world.Dice.Between(1, Slowness), () =>
        {
            var isAway = world.IsCluster ? IsAway || by.IsCutFromStore : IsDiskFull;
            Exception? error = isAway || fails ? world.IsCluster ? Faults.Away : Faults.DiskFull : null;
            var version = expected;
            if (error is null || (fails && loses && !isAway))
            {
                if (expected != Version)
                {
                    error = Faults.Conflict;
                }
                else
                {
                    if (world.Log is not null) world.Say($"{by.Name} writes the record {Version + 1}: {Short(record)}");
                    _laws.Written(Record, record, this);
                    (Record, version) = (record, ++Version);
                }
            }

            by.After(world.Dice.Between(1, Slowness), () => done(version, error));
        });
    }

    public void Read(Process by, Action<RunRecord?, long, Exception?> done) => by.After(world.Dice.Between(1, Slowness), () =>
    {
        if (world.IsCluster && (IsAway || by.IsCutFromStore)) done(null, 0, Faults.Away);
        else done(Record, Version, null);
    });

    /// <returns>Null if the disk takes it.</returns>
    public Exception? WriteFile(Process by, string file, string sha)
    {
        if (IsDiskFull || (world.IsWild && world.Dice.OneIn(400))) return Faults.DiskFull;
        if (world.Log is not null) world.Say($"{by.Name} writes {file}");
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

    public void Delete(Process by, string file)
    {
        if (world.Log is not null) world.Say($"{by.Name} deletes {file}");
        if (Record?.Names(file) == true) World.Never($"{by.Name} deletes {file}, which the record names");
        _files.Remove(file);
    }

    public Exception? Append(Process by, AppendMetrics lines)
    {
        var before = lines.End - lines.Lines.Length;
        _laws.Appended(Record!, lines);
        if (IsDiskFull || (world.IsWild && world.Dice.OneIn(200))) return Faults.DiskFull;
        var file = _metrics[lines.Member];
        if (file.Length < before) World.Never($"{by.Name} appends lines of member {lines.Member} at {before}, and the file has {file.Length} bytes");
        if (file.Length < lines.End) _metrics[lines.Member] = string.Concat(file.AsSpan(0, (int)before), lines.Lines);
        return null;
    }

    public Exception? Show(Process by, RunStatus status)
    {
        if (IsDiskFull) return Faults.DiskFull;
        if (world.Log is not null) world.Say($"{by.Name} shows {status.State}, {status.Steps} steps");
        Status = status;
        return null;
    }

    /// <summary>What must be true when the run has ended.</summary>
    public void CheckEnd() => _laws.Ended(Record!, Status, _metrics, this);

    private static string Short(RunRecord record) => record.State + " " + string.Join(" ", record.Members.Select(member =>
        $"[{member.Index} {member.State} a{member.Attempt} s{member.Step} e{member.Ema?.Step} p{member.Pending?.Step} f{member.Folded.Length}{(member.UnwrittenMetrics is null ? "" : " u")}]"))
        + $" {record.Snapshots.Length} snapshots";
}
