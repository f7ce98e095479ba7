using System.Net;
using System.Net.Sockets;

namespace DistributedEnsemble.Cluster.Tests;

/// <summary>A silo without a cluster, as a program.</summary>
public sealed class StandaloneSiloTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ensemble-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Alone_it_has_no_gateway_and_closes_what_connects_to_it()
    {
        await using var silo = Start();
        await silo.ReadyAsync();

        Assert.EndsWith("lanes, no gateway.", silo.Output.TrimEnd());
        using var stranger = new TcpClient();
        await stranger.ConnectAsync(IPEndPoint.Parse(silo.Endpoint!), TestContext.Current.CancellationToken);
        Assert.Equal(0, await ReadAsync(stranger));
        // What it says of itself is no proof: a gateway may listen on any port.
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux tells which process listens where.");
        Assert.Equal([IPEndPoint.Parse(silo.Endpoint!).Port], Listening(silo.Id));
        silo.Terminate();
        Assert.Equal(0, await silo.ExitAsync());
    }

    /// <summary>The ports on which a process takes connections.</summary>
    private static List<int> Listening(int process)
    {
        const string Listens = "0A";
        var sockets = Directory.GetFiles($"/proc/{process}/fd").Select(file => new FileInfo(file).LinkTarget ?? "").ToHashSet();
        return
        [
            .. from table in new[] { "tcp", "tcp6" }
               from line in File.ReadLines($"/proc/{process}/net/{table}").Skip(1)
               let fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
               where fields[3] == Listens && sockets.Contains($"socket:[{fields[9]}]")
               select Convert.ToInt32(fields[1].Split(':')[1], 16),
        ];
    }

    [Fact]
    public async Task A_port_for_clients_needs_a_cluster()
    {
        await using var silo = Start("--gateway-port", "30001");

        Assert.Equal(2, await silo.ExitAsync());
        Assert.Equal("--gateway-port is 30001, and there is no --cluster: a silo alone takes no clients but those of --http.\n", silo.Errors);
    }

    [Fact]
    public async Task A_terminal_that_is_closed_stops_it_as_it_is_asked_to()
    {
        await using var silo = Start();
        await silo.ReadyAsync();

        silo.Ask(Signal.HangUp);

        Assert.Equal((0, ""), (await silo.ExitAsync(), silo.Errors));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_one_line_before_anything_starts()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "No other system has a folder in which nobody makes anything.");
        await using var silo = new SiloProcess(() => Host.Here.Start(SiloProcess.Program, ["--runs", "/proc/runs"]));

        Assert.Equal(2, await silo.ExitAsync());
        Assert.Equal(("", "--runs /proc/runs cannot be used. The folder /proc/runs cannot be made: nothing can be made in /proc. Give another, or have it made.\n"), (silo.Output, silo.Errors));
    }

    [Fact]
    public async Task A_silo_whose_words_nobody_takes_serves_as_any_other()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "There is no /dev/full.");
        await using var silo = new SiloProcess(() => Host.Here.Start("sh", ["-c", "runs=$1 && shift && exec \"$@\" --runs \"$runs\" >/dev/full", "sh", Path.Combine(_folder, "runs"), SiloProcess.Program, "--lanes", "1", "--http", "http://127.0.0.1:0"]));
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };

        // It cannot say where: one of its ports answers.
        await Until.AsksAsync(async () => await Listening(silo.Id).ToAsyncEnumerable().AnyAsync(async (port, _) => await IsReadyAsync(client, port)) ? "" : null);

        silo.Terminate();
        Assert.Equal((0, ""), (await silo.ExitAsync(), silo.Errors));
    }

    [Fact]
    public async Task A_time_that_does_not_fit_the_others_is_one_line_before_anything_starts()
    {
        await using var silo = new SiloProcess(() => new LocalProcess(
            SiloProcess.Program, ["--runs", Path.Combine(_folder, "runs")], new Dictionary<string, string> { ["ENSEMBLE__TIMING__HANDOVER"] = "00:00:00" }));

        Assert.Equal(2, await silo.ExitAsync());
        Assert.Equal(("", "ENSEMBLE__TIMING__HANDOVER is 00:00:00: it must be a time from 00:00:00.1 to 01:00:00, as in 00:00:05.\n"), (silo.Output, silo.Errors));
    }

    [Fact]
    public async Task Settings_of_the_folder_that_it_is_started_in_are_not_its_own()
    {
        File.WriteAllText(Path.Combine(_folder, "appsettings.json"), """{ "Ensemble": { "Lanes": 0 } }""");
        await using var silo = new SiloProcess(() => Host.Here.Start("sh", ["-c", "cd \"$1\" && shift && exec \"$@\"", "sh", _folder, SiloProcess.Program, "--lanes", "1"]));

        await silo.ReadyAsync();
    }

    [Theory]
    [InlineData(50, Signal.Interrupt), InlineData(200, Signal.Terminate), InlineData(400, Signal.Interrupt), InlineData(600, Signal.Terminate)]
    [InlineData(800, Signal.Interrupt), InlineData(1000, Signal.Terminate), InlineData(1300, Signal.Interrupt), InlineData(1700, Signal.Terminate)]
    public async Task A_stop_while_it_starts_is_one_line_and_leaves_nothing(int milliseconds, Signal signal)
    {
        await using var silo = Start("--http", "http://127.0.0.1:0");
        await Task.Delay(milliseconds, TestContext.Current.CancellationToken);

        silo.Ask(signal);

        var exitCode = await silo.ExitAsync();
        Assert.Equal(silo.Endpoint is not null ? 0 : 128 + (int)signal, exitCode);
        // Before the program's first line, the system ends it.
        Assert.True(silo.Errors is "" || (exitCode != 0 && silo.Errors == "Stopped before the silo was ready.\n"), silo.Errors);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Theory]
    [InlineData("ensemble/cluster", Signal.Interrupt), InlineData("ensemble/cluster", Signal.Terminate), InlineData("ensemble/folder", Signal.HangUp)]
    public async Task A_stop_while_redis_does_not_answer_a_silo_that_starts_is_one_line_and_leaves_nothing(string request, Signal signal)
    {
        await using var redis = await StartRedisAsync();
        await using var held = new HeldConnections(redis.Port, request);
        await using var silo = Start("--cluster", held.Url);
        await held.HoldsAsync();

        silo.Ask(signal);

        Assert.Equal((128 + (int)signal, "Stopped before the silo was ready.\n"), (await silo.ExitAsync(), silo.Errors));
        Assert.False(Directory.Exists(Path.Combine(_folder, "runs")) && Directory.EnumerateFileSystemEntries(Path.Combine(_folder, "runs")).Any());
    }

    [Theory, InlineData(Signal.Interrupt), InlineData(Signal.Terminate)]
    public async Task A_stop_does_not_wait_for_a_start_that_does_not_come_to_its_end(Signal signal)
    {
        await using var redis = await StartRedisAsync();
        await using var held = new HeldConnections(redis.Port, "/members/");
        await using var silo = Start("--cluster", held.Url);
        await held.HoldsAsync();

        silo.Ask(signal);

        Assert.Equal((128 + (int)signal, "Stopped before the silo was ready.\n"), (await silo.ExitAsync(), silo.Errors));
    }

    [Fact]
    public async Task A_second_signal_does_not_wait_for_a_start_that_does_not_come_to_its_end()
    {
        await using var redis = await StartRedisAsync();
        await using var held = new HeldConnections(redis.Port, "/members/");
        await using var silo = Start("--cluster", held.Url);
        await held.HoldsAsync();

        silo.Ask(Signal.Interrupt);
        silo.Ask(Signal.Terminate);

        // Each is heard on a thread of its own: either may be the second.
        Assert.Contains(await silo.ExitAsync(), new[] { 128 + (int)Signal.Interrupt, 128 + (int)Signal.Terminate });
        Assert.Equal("", silo.Errors);
    }

    [Theory, InlineData(Signal.Interrupt), InlineData(Signal.Terminate)]
    public async Task A_driver_that_waits_for_its_redis_stops_when_it_is_asked_to(Signal signal)
    {
        await using var redis = await StartRedisAsync();
        await using var held = new HeldConnections(redis.Port, "ensemble/cluster");
        await using var driver = new LocalProcess(Path.Combine(AppContext.BaseDirectory, "ensemble"), "train", "--quiet", "--dataset", "digits", "--cluster", held.Url);
        await held.HoldsAsync();

        driver.Signal(signal);

        Assert.Equal((128 + (int)signal, "Stopped before anything was trained: nothing has changed.\n"), (await driver.ExitAsync(), driver.Errors));
    }

    private static async Task<bool> IsReadyAsync(HttpClient client, int port)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/health/ready"), TestContext.Current.CancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or SocketException || (e is TaskCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested))
        {
            // The port for silos closes, or says nothing.
            return false;
        }
    }

    private async Task<RedisServer> StartRedisAsync()
    {
        Assert.SkipWhen(RedisServer.Program is null, RedisServer.IsMissing);
        var redis = new RedisServer(Path.Combine(_folder, "redis"), Host.Here, password: null, certificates: null);
        await redis.StartAsync();
        return redis;
    }

    private SiloProcess Start(params IEnumerable<string> more) =>
        new(() => Host.Here.Start(SiloProcess.Program, ["--runs", Path.Combine(_folder, "runs"), "--lanes", "1", .. more]));

    /// <returns>0 if the other side closes the connection without a word.</returns>
    private static async Task<int> ReadAsync(TcpClient client)
    {
        try
        {
            return await client.GetStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
