namespace DistributedEnsemble.Training.Tables;

/// <summary>Text whose cells are divided by any number of blanks and tabs, as text with one tab between them. Blanks in quotes stay.</summary>
internal sealed class BlankSeparated(Stream text, char quote) : ReadOnlyStream
{
    public const char Separator = '\t';

    private const int BlockBytes = 1 << 15;

    // A byte becomes two at most: a tab that was put off, and itself.
    private readonly byte[] _block = new byte[BlockBytes], _tabs = new byte[2 * BlockBytes];
    private int _start, _end;
    private bool _isWithin, _isAtStart = true, _isBlank;

    public static byte[] Of(byte[] text, char quote)
    {
        using var tabs = new MemoryStream(text.Length);
        using var blanks = new BlankSeparated(new MemoryStream(text), quote);
        blanks.CopyTo(tabs);
        return tabs.ToArray();
    }

    public override int Read(Span<byte> buffer)
    {
        while (_start == _end)
        {
            if (text.Read(_block) is not (> 0 and var read)) return 0;
            (_start, _end) = (0, Divide(_block.AsSpan(0, read)));
        }

        var count = Math.Min(buffer.Length, _end - _start);
        _tabs.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) text.Dispose();
        base.Dispose(disposing);
    }

    private int Divide(ReadOnlySpan<byte> block)
    {
        var length = 0;
        foreach (var one in block)
        {
            if (one == quote) _isWithin = !_isWithin;
            if (!_isWithin && one is (byte)' ' or (byte)'\t')
            {
                _isBlank = true;
                continue;
            }

            var isEnd = !_isWithin && one is (byte)'\r' or (byte)'\n';
            // Blanks at either end of a line divide nothing.
            if (_isBlank && !_isAtStart && !isEnd) _tabs[length++] = (byte)Separator;
            (_isBlank, _isAtStart) = (false, isEnd);
            _tabs[length++] = one;
        }

        return length;
    }
}
