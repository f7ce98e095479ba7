using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Tests.Objects;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Tests.Stores.Objects;

/// <summary>Files that grow, among objects: what a reader has is not fetched again.</summary>
public sealed class GrowingObjectTests : IAsyncDisposable
{
    private const string Name = "run/metrics.jsonl";

    private readonly RunsFolder _scratch = new();
    private readonly StrictObjectServer _server = new();
    private readonly ObjectStorage _objects;
    private readonly Random _random = new(1);
    private readonly MemoryStream _whole = new();

    public GrowingObjectTests() => _objects = _server.Open("runs", _scratch.Path);

    public async ValueTask DisposeAsync()
    {
        _objects.Dispose();
        await _server.DisposeAsync();
        _scratch.Dispose();
    }

    [Fact]
    public void Of_parts_that_begin_at_one_place_the_longest_makes_the_file()
    {
        ObjectPart[] parts = [ObjectPart.Of("f", 0, 10), ObjectPart.Of("f", 0, 30), ObjectPart.Of("f", 10, 20)];

        Assert.Equal([parts[1]], ObjectPart.Tiles(parts, 30));
        Assert.Equal([parts[0], parts[2]], ObjectPart.Tiles([parts[0], parts[2]], 30));
    }

    [Fact]
    public void A_reader_that_has_the_rest_fetches_what_was_added_and_no_more()
    {
        var (read, fetched) = (new MemoryStream(), 0L);
        for (var i = 0; i < 100; i++)
        {
            Grow();
            var sent = _server.Sent;
            using var file = _objects.OpenRead(Name, read.Length);
            file.CopyTo(read);
            fetched += _server.Sent - sent;
        }

        Assert.Equal(_whole.ToArray(), read.ToArray());
        Assert.Equal(_whole.Length, fetched);
        Assert.Equal(_whole.ToArray(), _objects.ReadAllBytes(Name));
    }

    [Fact]
    public void A_reader_of_what_is_there_already_fetches_nothing()
    {
        Grow();

        using var file = _objects.OpenRead(Name, _whole.Length + 1);

        Assert.Equal((_whole.Length, _whole.Length, 0), (file.Length, file.Position, file.Read(new byte[10])));
        Assert.Equal(0, _server.Sent);
        Assert.Throws<FileNotFoundException>(() => _objects.OpenRead("run/other.jsonl", 0));
    }

    [Fact]
    public void A_look_at_places_of_a_long_file_fetches_little_more_than_these()
    {
        Grow(3 << 20);
        for (var i = 0; i < 10; i++) Grow();
        var (bytes, found) = (_whole.ToArray(), new byte[100]);

        using var file = _objects.OpenRead(Name, 0);
        for (var i = 0; i < 10; i++)
        {
            file.Position = _random.Next(bytes.Length - 100);
            var at = (int)file.Position;
            file.ReadExactly(found);
            Assert.Equal(bytes[at..(at + 100)], found);
        }

        Assert.InRange(_server.Sent, 1000, 1 << 20);
    }

    [Fact]
    public void Parts_that_become_one_while_they_are_read_are_read_from_that_one()
    {
        for (var i = 0; i < 4; i++) Grow(100 + i);
        var bytes = _whole.ToArray();

        using var file = _objects.OpenRead(Name, 0);
        var names = _server.Names;
        Grow(1000);

        Assert.Empty(names.Intersect(_server.Names));
        var found = new byte[file.Length];
        file.ReadExactly(found);
        Assert.Equal(bytes, found);
    }

    [Fact]
    public void A_file_that_was_put_there_whole_grows_on()
    {
        var begun = new byte[5000];
        _random.NextBytes(begun);
        _objects.Write(Name, begun);
        _whole.Write(begun);
        using (var file = _objects.OpenRead(Name, 4990)) Assert.Equal((5000, 10), (file.Length, file.ReadAtLeast(new byte[20], 20, throwOnEndOfStream: false)));

        for (var i = 0; i < 3; i++) Grow();

        Assert.Equal(_whole.ToArray(), _objects.ReadAllBytes(Name));
        Assert.DoesNotContain($"runs/{Name}", _server.Names);
        var error = Assert.Throws<InvalidDataException>(() => _objects.Append(Name, _whole.Length + 1, new byte[1]));
        Assert.Contains("is damaged: it has", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_that_are_written_again_in_other_pieces_are_what_they_are_in_a_folder()
    {
        var folder = new FolderStorage(_scratch.Path);
        for (var i = 0; i < 30; i++)
        {
            var length = folder.Find(Name)?.Bytes ?? 0;
            // Now and then a record that is some versions behind names an earlier place.
            var place = _random.Next(3) == 0 ? _random.NextInt64(length + 1) : length;
            var bytes = new byte[_random.Next(1, 60)];
            _random.NextBytes(bytes);

            folder.Append(Name, place, bytes);
            _objects.Append(Name, place, bytes);

            Assert.Equal(folder.ReadAllBytes(Name), _objects.ReadAllBytes(Name));
        }
    }

    private void Grow() => Grow(_random.Next(1, 500));

    private void Grow(int length)
    {
        var bytes = new byte[length];
        _random.NextBytes(bytes);
        _objects.Append(Name, _whole.Length, bytes);
        _whole.Write(bytes);
    }
}
