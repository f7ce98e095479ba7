using System.Text;
using System.Text.Json.Nodes;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace DistributedEnsemble.Grains.Tests.Stores;

/// <summary>Whatever stands in a record, in files or in Redis, it is read, or one line says that it is damaged: nothing else may come of it.</summary>
public sealed class DamagedRecordTests : IDisposable
{
    private static readonly string[] s_values = ["null", "-1", "2147483647", "1e300", "\"../../spec.json\"", "\"\"", "\"\\u0007\"", "[]", "[null]", "{}", "true"];

    private readonly RunsFolder _runs = new();

    public void Dispose() => _runs.Dispose();

    [Fact]
    public void Files_with_any_value_in_any_place_are_read_or_named()
    {
        var run = RunKey.New("run");
        var folder = _runs.Folder(run.Name);
        RecordFiles.Write(folder, run, new RecordVersion(1, "writer"), null, RecordSamples.New().WithAll(1, 5).WithAll(1, 9), keepsOld: false);
        var variants = 0;
        foreach (var path in Directory.GetFiles(folder.Root, "*.json*", SearchOption.AllDirectories))
        {
            var good = File.ReadAllText(path);
            foreach (var damaged in Damaged(good))
            {
                File.WriteAllText(path, path.EndsWith(".jsonl", StringComparison.Ordinal) ? damaged + "\n" : damaged);
                IsReadOrNamed(() => RecordFiles.Read(folder), $"{Path.GetFileName(path)}: {damaged}");
                variants++;
            }

            File.WriteAllText(path, good);
        }

        Assert.InRange(variants, 300, 3000);
        RecordSamples.Same(RecordSamples.New().WithAll(1, 5).WithAll(1, 9), RecordFiles.Read(folder)!.Value.Stored.Record);
    }

    [Fact]
    public void An_earlier_record_with_any_value_in_any_place_is_read_or_named()
    {
        var folder = _runs.Folder("earlier");
        var good = File.ReadAllText(Repository.File("tests", "DistributedEnsemble.Grains.Tests", "Stores", "Earlier", "earlier", RunFolder.RecordFile));
        Directory.CreateDirectory(folder.Root);
        var variants = 0;
        foreach (var damaged in Damaged(JsonNode.Parse(good)!.ToJsonString()))
        {
            File.WriteAllText(folder.Record, damaged);
            IsReadOrNamed(() => RecordFiles.Read(folder), damaged);
            variants++;
        }

        Assert.InRange(variants, 300, 10_000);
    }

    [Fact]
    public async Task Hashes_and_lists_of_redis_with_any_value_in_any_place_are_read_or_named()
    {
        await using var redis = await LocalRedis.StartAsync();
        var (run, database) = (RunKey.New("run"), redis.Connection.GetDatabase());
        var store = new RedisRunStore(redis.Connection, new EnsembleTrainingOptions { RunsFolder = _runs.Path }, NullLogger<RedisRunStore>.Instance);
        await store.WriteAsync(run, RecordVersion.None, null, RecordSamples.New().WithAll(1, 5).WithAll(1, 9));
        Directory.Delete(_runs.Folder(run.Name).Root, recursive: true);
        var stem = $"ensemble/run/{run}";
        foreach (var (key, field) in new[] { ($"{stem}/head", "definition"), ($"{stem}/head", "state"), ($"{stem}/head", "version"), ($"{stem}/members", "1") })
        {
            var good = (string)(await database.HashGetAsync(key, field))!;
            foreach (var damaged in Damaged(good.StartsWith('{') ? good : "{}").Append("\u0001garbage"))
            {
                await database.HashSetAsync(key, field, damaged);
                await IsReadOrNamedAsync(() => store.ReadAsync(run), $"{field}: {damaged}");
            }

            await database.HashSetAsync(key, field, good);
        }

        foreach (var list in new[] { $"{stem}/snapshots", $"{stem}/folded/1" })
        {
            foreach (var damaged in Damaged((string)(await database.ListGetByIndexAsync(list, 0))!))
            {
                await database.ListSetByIndexAsync(list, 0, damaged);
                await IsReadOrNamedAsync(() => store.ReadAsync(run), $"{list}: {damaged}");
            }
        }
    }

    [Fact]
    public void A_number_of_members_asks_for_no_memory_that_the_record_does_not_have()
    {
        var text = Encoding.UTF8.GetString(RecordText.Of(RecordDefinition.Of(RecordSamples.New(), 3))).Replace("\"members\":3", "\"members\":2147483647", StringComparison.Ordinal);

        var error = Assert.Throws<InvalidDataException>(() => RecordText.ReadDefinition(Encoding.UTF8.GetBytes(text), "record"));

        Assert.Equal("record is damaged: it has 2147483647 members, and says of 3 what they take.", error.Message);
    }

    /// <summary>The text with each of its values replaced by each of some, and without it.</summary>
    private static IEnumerable<string> Damaged(string lines)
    {
        var good = lines.Split('\n', StringSplitOptions.RemoveEmptyEntries)[0];
        foreach (var path in Paths(JsonNode.Parse(good)!, []).ToList())
        {
            foreach (var value in s_values.Append(null))
            {
                var root = JsonNode.Parse(good)!;
                var parent = path[..^1].Aggregate(root, (node, step) => step is string name ? node[name]! : node[(int)step]!);
                if (parent is JsonObject fields && value is null) fields.Remove((string)path[^1]);
                else if (parent is JsonObject named) named[(string)path[^1]] = JsonNode.Parse(value!);
                else if (value is not null) parent[(int)path[^1]] = JsonNode.Parse(value);
                else continue;
                yield return root.ToJsonString();
            }
        }
    }

    private static IEnumerable<object[]> Paths(JsonNode? node, object[] here)
    {
        var below = node switch
        {
            JsonObject fields => fields.SelectMany(field => Paths(field.Value, [.. here, field.Key])),
            JsonArray items => items.SelectMany((item, i) => Paths(item, [.. here, i])),
            _ => [],
        };
        return here.Length == 0 ? below : below.Prepend(here);
    }

    private static void IsReadOrNamed(Action read, string variant) => Check(Record.Exception(read), variant);

    private static async Task IsReadOrNamedAsync(Func<Task> read, string variant) => Check(await Record.ExceptionAsync(read), variant);

    private static void Check(Exception? error, string variant)
    {
        if (error is null) return;
        Assert.True(error is InvalidDataException, $"{variant} let escape: {error}");
        Assert.DoesNotContain('\n', error.Message);
    }
}
