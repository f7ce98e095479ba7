using System.Diagnostics;
using System.Text;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving;
using DistributedEnsemble.Serving.Hosting;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Benchmarks.History;

/// <summary>How long the live page's server takes for the curves of a million metric lines: the first time, of some of them, and once it has read all.</summary>
/// <param name="rounds">Servers that are started anew.</param>
internal sealed class HistoryBenchmark(int rounds)
{
    private const int Lines = 1_000_000, Points = 300, LinesPerWrite = 10_000;

    public async Task<object> RunAsync()
    {
        var runs = Directory.CreateTempSubdirectory("ensemble-benchmark-").FullName;
        try
        {
            await using var silo = await EmbeddedSilo.StartAsync(options => (options.RunsFolder, options.Lanes) = (runs, 1));
            var measured = new List<object>();
            foreach (var members in (int[])[1, 10]) measured.Add(await MeasureAsync(silo, runs, members));
            return new { Benchmark = "history", LoadAverage = Neighbours.LoadAverage(), Work = $"{Lines:N0} metric lines, {Points} points a member as the page asks for them, milliseconds of a request over HTTP", Measured = measured };
        }
        finally
        {
            Directory.Delete(runs, recursive: true);
        }
    }

    private async Task<object> MeasureAsync(EmbeddedSilo silo, string runs, int members)
    {
        var name = $"lines-of-{members}";
        var bytes = await WriteAsync(runs, name, members);
        List<double> first = [], next = [], parts = [];
        long answer = 0;
        for (var round = 0; round < rounds; round++)
        {
            await using var server = await HttpServer.StartAsync(silo.Grains, runs, new HttpSettings { Url = "http://127.0.0.1:0" });
            using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
            // Connects, and compiles what does not belong to it.
            await client.GetStringAsync("/api/runs");
            var all = $"/api/runs/{name}/metrics?step={Lines / members / Points}&columns=loss,quality,learningRate";
            first.Add(await TimeAsync(all));
            while ((await client.GetStringAsync(all)).Contains("\"sampled\":true", StringComparison.Ordinal)) await Task.Delay(100);
            next.Add(await TimeAsync(all));
            parts.Add(await TimeAsync($"/api/runs/{name}/metrics?from={Lines / members / 2}&to={Lines / members * 3 / 4}"));

            async Task<double> TimeAsync(string path)
            {
                var begun = Stopwatch.GetTimestamp();
                answer = (await client.GetByteArrayAsync(path)).Length;
                return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
            }
        }

        Console.Error.WriteLine($"{members} members: first {Spread.Of(first)}, next {Spread.Of(next)}, a part {Spread.Of(parts)}");
        return new { Members = members, FileMegabytes = Math.Round(bytes / 1e6, 1), AnswerBytes = answer, First = Spread.Of(first), Next = Spread.Of(next), APart = Spread.Of(parts) };
    }

    private static async Task<long> WriteAsync(string runs, string name, int members)
    {
        var folder = new RunFolder(runs, name);
        var (each, bytes) = (Lines / members, 0L);
        for (var member = 0; member < members; member++)
        {
            var path = folder.Path(RunFolder.Metrics(member));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await using var file = File.Create(path);
            var text = new StringBuilder();
            for (var step = 1; step <= each; step++)
            {
                var loss = (2.3f / MathF.Sqrt(1 + (step * 1e-3f))) + (0.1f * MathF.Sin(step));
                text.Append(new StepMetrics(step, step / 431.0, 0.05 * (1 + Math.Cos(Math.PI * step / each)), loss, 1e-4 * loss, new StepQuality("accuracy", 1 - (loss / 3)))
                {
                    Validation = step % 431 == 0 ? new ValidationMetrics(loss) : null,
                }.ToLine());
                if (step % LinesPerWrite != 0) continue;
                await file.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()));
                text.Clear();
            }

            bytes += file.Length;
        }

        var status = new RunStatus
        {
            Run = name, Id = Guid.NewGuid(), State = RunState.Completed, Steps = Lines, StepsTotal = Lines, TrainSeconds = 60,
            Members = [.. Enumerable.Range(0, members).Select(i => new MemberStatus { Index = i, State = MemberState.Completed, Attempt = 1, Step = each })],
        };
        await File.WriteAllTextAsync(folder.Status, RunStatusJson.ToJson(status));
        return bytes;
    }
}
