using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace DistributedEnsemble.Training.Tables;

/// <summary>
/// UTF-8 of text that should be UTF-8: bytes of it that are not are characters of Windows-1252, as spreadsheets save them in the West.
/// What is UTF-8 passes as it is.
/// </summary>
internal sealed class WesternText(Stream bytes) : ReadOnlyStream
{
    private const int BlockBytes = 1 << 16, LongestCharacter = 4, LongestWestern = 3;

    /// <summary>The characters of 0x80 to 0x9f; 0 where there is none. All others are those of Unicode.</summary>
    private const string Special = "€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ";

    private readonly byte[] _block = new byte[BlockBytes];
    private byte[] _text = [];
    private int _kept, _start, _end;
    private bool _isOver, _isText;

    /// <summary>Whether there is a byte in a text's beginning that is none of UTF-8.</summary>
    public static bool IsNeeded(ReadOnlySpan<byte> start, bool isWhole)
    {
        if (!isWhole && start.Length >= LongestCharacter) start = start[..^Cut(start)];
        return !Utf8.IsValid(start);
    }

    public override int Read(Span<byte> buffer)
    {
        while (_start == _end)
        {
            if (_isOver) return 0;
            Fill();
        }

        var count = Math.Min(buffer.Length, _end - _start);
        (_isText ? _text : _block).AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) bytes.Dispose();
        base.Dispose(disposing);
    }

    private void Fill()
    {
        // The last bytes of a block may be the beginning of a character.
        if (_kept > 0) _block.AsSpan(BlockBytes - _kept).CopyTo(_block);
        var read = bytes.ReadAtLeast(_block.AsSpan(_kept, BlockBytes - _kept), BlockBytes - _kept, throwOnEndOfStream: false) + _kept;
        _isOver = read < BlockBytes;
        _kept = _isOver ? 0 : Cut(_block);
        var whole = _block.AsSpan(0, read - _kept);
        (_start, _end, _isText) = (0, whole.Length, !Utf8.IsValid(whole));
        if (!_isText) return;
        if (_text.Length == 0) _text = new byte[BlockBytes * LongestWestern];
        _end = 0;
        while (!whole.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(whole, out var character, out var length);
            if (status != OperationStatus.Done) (character, length) = (Western(whole[0]), 1);
            _end += character.EncodeToUtf8(_text.AsSpan(_end));
            whole = whole[length..];
        }
    }

    /// <summary>How many bytes at the end begin a character that is not all there.</summary>
    private static int Cut(ReadOnlySpan<byte> block)
    {
        for (var length = 1; length < LongestCharacter; length++)
        {
            if (Rune.DecodeFromUtf8(block[^length..], out _, out _) == OperationStatus.NeedMoreData) return length;
        }

        return 0;
    }

    private static Rune Western(byte one) => new(one is >= 0x80 and <= 0x9f && Special[one - 0x80] is not '\0' and var special ? special : (char)one);
}
