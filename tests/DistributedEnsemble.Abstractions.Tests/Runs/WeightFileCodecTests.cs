using System.Collections.Immutable;
using DistributedEnsemble.Runs;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace DistributedEnsemble.Abstractions.Tests.Runs;

public sealed class WeightFileCodecTests
{
    private static readonly string s_hash = string.Concat(Enumerable.Repeat("0123456789abcdef", 4));
    private readonly Serializer _serializer = new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>();

    public static TheoryData<WeightFile> Files =>
    [
        new WeightFile(0, 1, "members/00/snapshots/step-00000001.safetensors", s_hash),
        new WeightFile(int.MaxValue, -1, "", ""),
        new WeightFile(3, 7, $"größer/{new string('x', 5000)}", s_hash.ToUpperInvariant()),
        new WeightFile(3, 7, "short", s_hash[1..] + "é"),
    ];

    [Theory, MemberData(nameof(Files))]
    public void A_file_arrives_as_it_was_sent(WeightFile file)
    {
        Assert.Equal(file, _serializer.Deserialize<WeightFile>(_serializer.SerializeToArray(file)));
        Assert.Equal(file, _serializer.Deserialize<object>(_serializer.SerializeToArray<object>(file)));
    }

    [Fact]
    public void What_comes_after_files_and_none_arrives_too()
    {
        var file = new WeightFile(1, 2, "file", s_hash);
        (WeightFile?, string, WeightFile?, WeightFile?, string) sent = (file, "text", null, file, "text");
        Assert.Equal(sent, _serializer.Deserialize<(WeightFile?, string, WeightFile?, WeightFile?, string)>(_serializer.SerializeToArray(sent)));
    }

    [Fact]
    public void A_snapshot_of_a_status_takes_little_more_than_its_path_and_hash()
    {
        var files = Enumerable.Range(0, 1000).Select(member => new WeightFile(member, 1, "members/0000/snapshots/step-00000001.safetensors", s_hash)).ToImmutableArray();
        var bytes = _serializer.SerializeToArray(new RunStatus { Run = "many", Id = Guid.NewGuid(), State = RunState.Running, Snapshots = files });
        Assert.InRange(bytes.Length / 1000, files[0].File.Length + 32, files[0].File.Length + 32 + 20);
        Assert.Equal(files, _serializer.Deserialize<RunStatus>(bytes)!.Snapshots);
    }
}
