namespace DistributedEnsemble.Grains.Stores.Objects;

/// <summary>
/// A file that grows, as long as it was when it was opened. What is read is fetched: a little behind each place that is sought, and more
/// and more where reading goes on.
/// </summary>
internal sealed class ObjectParts : Stream
{
    private const int Least = 64 << 10, Most = 4 << 20;

    private readonly ObjectStorage _objects;
    private readonly string _name;
    private IReadOnlyList<ObjectPart> _tiles;
    private byte[] _fetched = [];
    private long _start;
    private int _reach = Least;

    /// <param name="tiles">The parts that make the file: at least one.</param>
    public ObjectParts(ObjectStorage objects, string name, IReadOnlyList<ObjectPart> tiles, long from) =>
        (_objects, _name, _tiles, Length, Position) = (objects, name, tiles, tiles[^1].End, Math.Min(from, tiles[^1].End));

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; }

    public override long Position { get; set; }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty || Position >= Length) return 0;
        if (Position < _start || Position >= _start + _fetched.Length) Fetch(buffer.Length);
        var found = _fetched.AsSpan((int)(Position - _start));
        var count = Math.Min(found.Length, buffer.Length);
        found[..count].CopyTo(buffer);
        Position += count;
        return count;
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = offset + origin switch
    {
        SeekOrigin.Begin => 0,
        SeekOrigin.Current => Position,
        SeekOrigin.End => Length,
        _ => throw new ArgumentOutOfRangeException(nameof(origin)),
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private void Fetch(int wanted)
    {
        _reach = _fetched.Length > 0 && Position == _start + _fetched.Length ? Math.Min(2 * _reach, Most) : Least;
        var most = Math.Clamp(wanted, _reach, Most);
        try
        {
            _fetched = Read(most);
        }
        catch (FileNotFoundException)
        {
            // It became one with what was added meanwhile.
            _tiles = ObjectPart.Tiles(_objects.PartsOf(_name), long.MaxValue);
            _fetched = Read(most);
        }

        _start = Position;
    }

    private byte[] Read(int most)
    {
        var part = _tiles.FirstOrDefault(part => part.Start <= Position && part.End > Position) ?? throw new FileNotFoundException($"There is no {_objects.PathOf(_name)} any more.");
        return _objects.ReadRange(part.Name, Position - part.Start, (int)Math.Min(most, Math.Min(part.End, Length) - Position));
    }
}
