namespace DistributedEnsemble.Tests.Processes;

/// <summary>
/// s3rver: an S3-compatible store of others, which knows no conditions of writes. It has one bucket, and its data in a folder, whose
/// files it writes in place: it gets its requests whole.
/// </summary>
internal sealed class S3Server : IAsyncDisposable
{
    private const string Bucket = "ensemble", Keys = "S3RVER";

    private readonly string _folder = Directory.CreateTempSubdirectory("ensemble-s3-").FullName;
    private readonly WholeRequests _requests;
    private readonly Func<LocalProcess> _start;
    private LocalProcess _process;

    private S3Server(string program, int port)
    {
        _requests = new WholeRequests(port);
        Environment = new Dictionary<string, string>
        {
            ["AWS_ENDPOINT_URL"] = _requests.Url, ["AWS_REGION"] = "us-east-1", ["AWS_ACCESS_KEY_ID"] = Keys, ["AWS_SECRET_ACCESS_KEY"] = Keys,
        };
        _start = () => new LocalProcess(
            program, ["-d", _folder, "-a", "127.0.0.1", "-p", $"{port}", "--no-vhost-buckets", "--configure-bucket", Bucket],
            // Its tokens for the next page of a list are encrypted as OpenSSL does no longer by itself.
            [new("NODE_OPTIONS", "--openssl-legacy-provider")]);
        _process = _start();
    }

    /// <summary>What names it and its keys.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    public static string? Program { get; } = (System.Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(path => Path.Combine(path, "s3rver")).FirstOrDefault(File.Exists);

    /// <summary>Why a test that needs it is skipped.</summary>
    public const string IsMissing = "s3rver is not installed: npm install --global s3rver@3.7.1";

    /// <summary>The store of those who name this prefix.</summary>
    public static string Address(string prefix) => $"s3://{Bucket}/{prefix}";

    public static async Task<S3Server> StartAsync()
    {
        if (Program is null) Assert.Skip(IsMissing);
        var server = new S3Server(Program, LoopbackPort.Free());
        await server.ListensAsync();
        return server;
    }

    /// <summary>Does something before the first request is passed on of an object whose name has this part.</summary>
    public async Task BeforeAsync(string part, Func<Task> actAsync)
    {
        var (isFirst, done) = (1, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        _requests.Before = async path =>
        {
            if (!path.Contains(part, StringComparison.Ordinal)) return;
            if (Interlocked.Exchange(ref isFirst, 0) == 1)
            {
                await actAsync();
                done.SetResult();
            }

            await done.Task;
        };
        await done.Task;
        _requests.Before = null;
    }

    /// <summary>SIGSTOP: connections are taken, and nothing comes.</summary>
    public Task PauseAsync()
    {
        _process.Signal(Signal.Stop);
        return Task.CompletedTask;
    }

    public void Continue() => _process.Signal(Signal.Continue);

    public Task KillAsync() => _process.KillAsync();

    /// <summary>Starts it once more, with what it has.</summary>
    public async Task RestartAsync()
    {
        await _process.DisposeAsync();
        _process = _start();
        await ListensAsync();
    }

    private async Task ListensAsync()
    {
        await Until.TrueAsync(() => _process.Output.Contains("listening", StringComparison.Ordinal) || _process.HasExited);
        Assert.False(_process.HasExited, _process.Errors);
    }

    public async ValueTask DisposeAsync()
    {
        await _requests.DisposeAsync();
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
