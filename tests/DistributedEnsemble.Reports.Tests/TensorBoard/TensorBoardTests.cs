using System.Buffers.Binary;
using System.Text;
using DistributedEnsemble.Reports.TensorBoard;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Tasks;
using Google.Protobuf;

namespace DistributedEnsemble.Reports.Tests.TensorBoard;

/// <summary>Event files, read back by another library's reader of protobuf and a checksum of the textbook's.</summary>
public sealed class TensorBoardTests
{
    [Fact]
    public void The_checksum_is_that_of_the_textbook() => Assert.Equal(0xE3069283, Checksum("123456789"u8));

    [Fact]
    public void A_members_lines_come_back_as_scalars_at_their_steps_as_they_grow()
    {
        using var runs = new TemporaryFolder();
        var folder = new RunFolder(runs.Path, "r");
        var metrics = folder.Path(RunFolder.Metrics(1));
        Directory.CreateDirectory(Path.GetDirectoryName(metrics)!);
        var spec = EnsembleSpec.FromJson("""{ "name": "r", "members": 2, "data": { "dataset": "digits" } }""");
        var status = new RunStatus
        {
            Run = "r", Id = Guid.NewGuid(), State = RunState.Running, TrainSeconds = 10,
            Members = [.. Enumerable.Range(0, 2).Select(i => new MemberStatus { Index = i, State = MemberState.Training, Step = 100 })],
        };
        using var logs = new TensorBoardLogs(folder, spec, DateTimeOffset.UnixEpoch.AddSeconds(1000));

        File.WriteAllText(metrics, Line(50, 0.5f, null));
        logs.Follow(status);
        File.AppendAllText(metrics, Line(100, 0.25f, 0.75));
        logs.Follow(status);

        var file = Assert.Single(Directory.GetFiles(Path.Combine(logs.Root, "member-01"), "events.out.tfevents.*"));
        var events = Events(File.ReadAllBytes(file)).ToList();
        Assert.Equal("brain.Event:2", events[0].Version);
        Assert.Contains(events, one => one.Tag == "_hparams_/session_start_info" && one.Content.Contains("training.batchSize", StringComparison.Ordinal));
        Assert.All(events.Where(one => one.Tag.StartsWith("_hparams_/", StringComparison.Ordinal)), one => Assert.Equal("hparams", one.Plugin));
        Assert.All(events.Where(one => !one.Tag.StartsWith("_hparams_/", StringComparison.Ordinal)), one => Assert.Null(one.Plugin));
        Assert.Equal(
            [(50, 0.5f, 1005), (100, 0.25f, 1010)],
            events.Where(one => one.Tag == "loss").Select(one => ((int)one.Step, one.Value, (int)one.Time)));
        Assert.Equal([0.75f], events.Where(one => one.Tag == "validation/nll").Select(one => one.Value));
        Assert.Equal([0.9f, 0.9f], events.Where(one => one.Tag == "accuracy").Select(one => one.Value));

        static string Line(int step, float loss, double? validation) => (new StepMetrics(step, 1, 0.1, loss, 0, new StepQuality("accuracy", 0.9))
        {
            Validation = validation is { } nll ? new ValidationMetrics(nll) : null,
        }).ToLine();
    }

    [Fact]
    public void Every_file_names_the_settings_of_all_members_whichever_tensorboard_reads_first()
    {
        using var runs = new TemporaryFolder();
        var folder = new RunFolder(runs.Path, "r");
        var spec = EnsembleSpec.FromJson("""
            { "name": "r", "members": 3, "data": { "dataset": "digits" }, "model": { "kind": "lenet" },
              "variants": [ { "model": { "kind": "mlp", "hidden": [32] } }, { "training": { "optimizer": { "kind": "adam", "beta1": 0.8 } } } ] }
            """);
        using var logs = new TensorBoardLogs(folder, spec, DateTimeOffset.UnixEpoch.AddSeconds(1000));
        foreach (var member in new[] { 0, 1, 2 })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(folder.Path(RunFolder.Metrics(member)))!);
            File.WriteAllText(folder.Path(RunFolder.Metrics(member)), new StepMetrics(50, 1, 0.1, 0.5f, 0, new StepQuality("accuracy", 0.9)).ToLine());
        }

        logs.Follow(new RunStatus
        {
            Run = "r", Id = Guid.NewGuid(), State = RunState.Running, Members = [.. Enumerable.Range(0, 3).Select(i => new MemberStatus { Index = i, State = MemberState.Training, Step = 50 })],
        });

        string[] columns = [.. Directory.GetFiles(logs.Root, "events.out.tfevents.*", SearchOption.AllDirectories)
            .Select(file => Events(File.ReadAllBytes(file)).Single(one => one.Tag == "_hparams_/experiment").Content)];
        Assert.Equal(3, columns.Length);
        Assert.All(columns, content => Assert.Contains("model.hidden", content, StringComparison.Ordinal));
        Assert.All(columns, content => Assert.Contains("training.optimizer.beta1", content, StringComparison.Ordinal));
        Assert.All(columns, content => Assert.Contains("training.optimizer.momentum", content, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"step\":1}")]
    [InlineData("{\"step\":\"1\",\"epoch\":1,\"learningRate\":0.1,\"loss\":1,\"l2\":0,\"accuracy\":1}")]
    [InlineData("{\"step\":1e300,\"epoch\":1,\"learningRate\":0.1,\"loss\":1,\"l2\":0,\"accuracy\":1}")]
    public void A_damaged_line_is_named_with_its_file(string line)
    {
        using var runs = new TemporaryFolder();
        var folder = new RunFolder(runs.Path, "r");
        var metrics = folder.Path(RunFolder.Metrics(0));
        Directory.CreateDirectory(Path.GetDirectoryName(metrics)!);
        File.WriteAllText(metrics, line + "\n");

        var error = Assert.Throws<InvalidDataException>(() => new MetricTail(folder).ReadOn(0));

        Assert.Equal($"{metrics} is damaged: {line} is no line of metrics.", error.Message);
    }

    private static IEnumerable<ReadEvent> Events(byte[] file)
    {
        for (var at = 0; at < file.Length;)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(at));
            Assert.Equal(Masked(file.AsSpan(at, 8)), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 8)));
            var body = file.AsSpan(at + 12, length).ToArray();
            Assert.Equal(Masked(body), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 12 + length)));
            yield return Read(body);
            at += 16 + length;
        }
    }

    /// <summary>Event: wall_time 1, step 2, file_version 3, summary 5; value: tag 1, simple_value 2, metadata 9.</summary>
    private static ReadEvent Read(byte[] bytes)
    {
        var (input, result) = (new CodedInputStream(bytes), new ReadEvent());
        while (input.ReadTag() is var tag and not 0)
        {
            if (tag == 9) result.Time = input.ReadDouble();
            else if (tag == 16) result.Step = input.ReadInt64();
            else if (tag == 26) result.Version = input.ReadString();
            else if (tag == 42) ReadSummary(input.ReadBytes(), result);
            else Assert.Fail($"The event has the tag {tag}.");
        }

        return result;
    }

    private static void ReadSummary(ByteString summary, ReadEvent result)
    {
        var outer = summary.CreateCodedInput();
        Assert.Equal(10u, outer.ReadTag());
        var value = outer.ReadBytes().CreateCodedInput();
        while (value.ReadTag() is var tag and not 0)
        {
            if (tag == 10) result.Tag = value.ReadString();
            else if (tag == 21) result.Value = value.ReadFloat();
            else if (tag == 74) ReadMetadata(value.ReadBytes(), result);
            else Assert.Fail($"The value has the tag {tag}.");
        }
    }

    /// <summary>Metadata: plugin data 1; of it: plugin name 1.</summary>
    private static void ReadMetadata(ByteString metadata, ReadEvent result)
    {
        result.Content = Encoding.UTF8.GetString(metadata.ToByteArray());
        var outer = metadata.CreateCodedInput();
        Assert.Equal(10u, outer.ReadTag());
        var plugin = outer.ReadBytes().CreateCodedInput();
        Assert.Equal(10u, plugin.ReadTag());
        result.Plugin = plugin.ReadString();
    }

    private static uint Masked(ReadOnlySpan<byte> bytes)
    {
        var crc = Checksum(bytes);
        return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
    }

    /// <summary>CRC-32C (Castagnoli), bit by bit.</summary>
    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) * 0x82F63B78);
        }

        return ~crc;
    }

    private sealed class ReadEvent
    {
        public double Time { get; set; }

        public long Step { get; set; }

        public string? Version { get; set; }

        public string Tag { get; set; } = "";

        public float Value { get; set; }

        public string Content { get; set; } = "";

        public string? Plugin { get; set; }
    }
}
