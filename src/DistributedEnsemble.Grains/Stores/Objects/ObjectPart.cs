using System.Globalization;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Stores.Objects;

/// <summary>Bytes of a file that grows, as an object: its name says which. A file that was put there whole is a part, too.</summary>
/// <param name="Name">The object's.</param>
/// <param name="IsAll">Whether it has the file's own name.</param>
internal sealed record ObjectPart(string Name, long Start, long End, bool IsAll)
{
    private const string Parts = ".parts/";

    public static ObjectPart Of(string file, long start, long end) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{file}{Parts}{start:D12}-{end:D12}"), start, end, IsAll: false);

    /// <param name="file">The name of the file.</param>
    /// <param name="found">An object whose name begins so.</param>
    /// <returns>Null if it is no part of that file.</returns>
    public static ObjectPart? Parse(string file, StoredFile found)
    {
        if (found.Name == file) return new ObjectPart(file, 0, found.Bytes, IsAll: true);
        return found.Name.AsSpan(file.Length).StartsWith(Parts, StringComparison.Ordinal) && found.Name[(file.Length + Parts.Length)..].Split('-') is [var start, var end]
            && long.TryParse(start, CultureInfo.InvariantCulture, out var from) && long.TryParse(end, CultureInfo.InvariantCulture, out var to) && from < to
            ? Of(file, from, to)
            : null;
    }

    /// <summary>Those parts that make the file, from its beginning until a place: where two begin, the longer one has the other.</summary>
    public static List<ObjectPart> Tiles(IReadOnlyCollection<ObjectPart> parts, long until)
    {
        var tiles = new List<ObjectPart>();
        for (var at = 0L; at < until; at = tiles[^1].End)
        {
            if (parts.Where(part => part.Start == at && part.End > at).MaxBy(part => part.End) is not { } next) break;
            tiles.Add(next);
        }

        return tiles;
    }
}
