using System.Security.Cryptography;
using System.Text;
using DistributedEnsemble.Files;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Tests.Objects;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Tests.Files;

/// <summary>Data files that clients send into the store.</summary>
public sealed class UploadTests : IDisposable
{
    private readonly RunsFolder _outside = new();

    public void Dispose() => _outside.Dispose();

    [Theory, InlineData("../../outside"), InlineData("/outside"), InlineData("a\0b")]
    public async Task A_name_that_is_no_hash_reaches_no_file(string name)
    {
        await using var cluster = await EnsembleCluster.StartAsync(runsFolder: Path.Combine(_outside.Path, "runs"));
        Directory.CreateDirectory(Path.Combine(cluster.RunsFolder, ".data"));
        var upload = cluster.Upload(name.StartsWith('/') ? _outside.Path + name : name);

        await RefusedAsync(() => upload.BeginAsync(3));
        await RefusedAsync(() => upload.AppendAsync(0, [1, 2, 3]));
        await RefusedAsync(upload.CompleteAsync);

        Assert.Empty(Directory.GetFiles(_outside.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_run_is_named_after_the_clients_file_and_so_are_the_mistakes_in_it()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        var rows = string.Concat(Enumerable.Range(0, 100).Select(i => $"{i % 2},{i % 2}\n"));

        var run = await cluster.SubmitAsync(await SendAsync(cluster, $"x,label\n{rows}"));
        await cluster.WhenAsync(run, status => status.HasEnded);
        var refused = await Assert.ThrowsAsync<RunRejectedException>(async () => await cluster.SubmitAsync(await SendAsync(cluster, $"x,label\n{rows}1,0,oops\n")));

        Assert.Equal("my-flowers-1", run.Name);
        Assert.Equal("My flowers.csv, line 102, column 3: the row has 3 cells, and the first has 2.", refused.Message);
    }

    [Fact]
    public async Task A_disk_that_is_full_is_named_to_the_client_who_goes_on_when_there_is_room()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        byte[] bytes = [1, 2, 3, 4];
        var upload = cluster.Upload(Convert.ToHexStringLower(SHA256.HashData(bytes)));
        await upload.BeginAsync(bytes.Length);
        await upload.AppendAsync(0, bytes[..2]);
        using (FileOperations.Observe(cluster.RunsFolder, (operation, path) => { if (operation == "append") throw new IOException($"No space left on device : '{path}'"); }))
        {
            var error = await Assert.ThrowsAsync<IOException>(() => upload.AppendAsync(2, bytes[2..]));
            Assert.Equal(
                $"The silos cannot store the file in {Path.Combine(cluster.RunsFolder, ".data")}: No space left on device. What came stays for a while, and goes on when it is sent again.",
                error.Message);
        }

        Assert.Equal(2, await upload.BeginAsync(bytes.Length));
        await upload.AppendAsync(2, bytes[2..]);
        await upload.CompleteAsync();
    }

    [Fact]
    public async Task A_store_that_is_away_or_refuses_is_told_to_the_client_as_what_it_is()
    {
        await using var server = new StrictObjectServer();
        using var store = server.Open("runs", Path.Combine(_outside.Path, "scratch"));
        await using var cluster = await EnsembleCluster.StartAsync(configure: options => options.Store = store);
        var upload = cluster.Upload(new string('0', 64));

        server.Fault = _ => new ObjectFault(403, "InvalidAccessKeyId");
        var refused = await Assert.ThrowsAsync<IOException>(() => upload.BeginAsync(4));
        server.Fault = _ => new ObjectFault(503, "SlowDown");
        var away = await Assert.ThrowsAsync<StorageAwayException>(() => upload.BeginAsync(4));
        server.Fault = null;

        Assert.StartsWith($"The silos cannot store the file: s3://ensemble/runs: {server.Url} refuses the keys (", refused.Message);
        Assert.Equal($"s3://ensemble/runs: {server.Url} does not do what it is asked (503 ServiceUnavailable).", away.Message);
        Assert.Equal(0, await upload.BeginAsync(4));
    }

    [Fact]
    public async Task Two_clients_that_send_the_same_file_at_once_both_come_to_its_end()
    {
        await using var cluster = await EnsembleCluster.StartAsync();
        byte[] bytes = [1, 2, 3, 4];
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        var upload = cluster.Upload(sha256);

        Assert.Equal(0, await upload.BeginAsync(bytes.Length));
        Assert.Equal(0, await upload.BeginAsync(bytes.Length));
        await upload.AppendAsync(0, bytes[..2]);
        await upload.AppendAsync(0, bytes[..2]);
        await upload.AppendAsync(2, bytes[2..]);
        await upload.CompleteAsync();
        await upload.AppendAsync(2, bytes[2..]);
        await upload.CompleteAsync();

        Assert.Equal(bytes, File.ReadAllBytes(Path.Combine(cluster.RunsFolder, ".data", $"{sha256}.csv")));
        var gap = cluster.Upload(new string('0', 64));
        await gap.BeginAsync(2);
        Assert.Equal("The upload goes on at byte 0, not 1.", (await Assert.ThrowsAsync<RunRejectedException>(() => gap.AppendAsync(1, [1]))).Message);
    }

    /// <returns>A spec for the file.</returns>
    private static async Task<string> SendAsync(EnsembleCluster cluster, string csv)
    {
        var bytes = Encoding.UTF8.GetBytes(csv);
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        var upload = cluster.Upload(sha256);
        Assert.Equal(0, await upload.BeginAsync(bytes.Length));
        await upload.AppendAsync(0, bytes);
        await upload.CompleteAsync();
        return $$"""{ "members": 1, "training": { "epochs": 1 }, "data": { "dataset": "{{new UploadedName(sha256, "My flowers.csv")}}" } }""";
    }

    private static async Task RefusedAsync(Func<Task> call) =>
        Assert.Equal("An upload's name is the sha256 of its bytes.", (await Assert.ThrowsAsync<RunRejectedException>(call)).Message);
}
