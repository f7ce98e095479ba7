using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Metrics;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Serving.Tests;

/// <summary>The past of a run's curves.</summary>
public sealed class MetricTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_runs_lines_are_answered_in_columns()
    {
        var answer = await served.Client.GetFromJsonAsync<JsonElement>("/api/runs/small/metrics?members=1-2&step=1", Cancellation);

        Assert.Equal(("small", "accuracy", 2), (answer.GetProperty("run").GetString(), answer.GetProperty("measure").GetString(), answer.GetProperty("members").GetArrayLength()));
        var member = answer.GetProperty("members")[0];
        Assert.Equal(1, member.GetProperty("member").GetInt32());
        var steps = member.GetProperty("steps").GetArrayLength();
        Assert.InRange(steps, 1, 1000);
        foreach (var column in new[] { "loss", "low", "high", "learningRate", "quality" }) Assert.Equal(steps, member.GetProperty(column).GetArrayLength());
    }

    [Theory]
    [InlineData("members=3", "members is \"3\": it lists members from 0 to 2, as in 0,3,10-19.")]
    [InlineData("members=2-1", "members is \"2-1\": it lists members from 0 to 2, as in 0,3,10-19.")]
    [InlineData("step=0", "step is \"0\": it must be a whole number from 1.")]
    [InlineData("from=x", "from is \"x\": it must be a whole number from 1.")]
    [InlineData("columns=los", "columns has \"los\": it lists some of loss, range, quality, learningRate.")]
    public async Task What_cannot_be_asked_is_said(string query, string message)
    {
        using var response = await served.Client.GetAsync($"/api/runs/small/metrics?{query}", Cancellation);

        Assert.Equal(
            (HttpStatusCode.BadRequest, message),
            (response.StatusCode, (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString()));
    }

    [Fact]
    public void A_point_is_the_mean_and_range_of_the_steps_that_it_stands_for()
    {
        var series = new MetricSeries();
        series.ReadOn(Lines(Enumerable.Range(1, 1000).Select(step => Line(step, step))));

        var points = series.Between(101, 1000, 100);

        Assert.Equal([200, 300, 400, 500, 600, 700, 800, 900, 1000], points.Steps);
        Assert.Equal((150.5f, 101f, 200f), (points.Loss[0], points.Low[0], points.High[0]));
        Assert.Equal(150.5f, series.Between(1, 1000, 100).Loss[1]);
    }

    [Fact]
    public void Lines_are_read_on_as_the_file_grows_wherever_it_was_cut()
    {
        var text = string.Concat(Enumerable.Range(1, 50).Select(step => Line(step, step * 0.5) + "\n"));
        var bytes = Encoding.UTF8.GetBytes(text);
        var series = new MetricSeries();
        for (var length = 0; length <= bytes.Length; length += 7) series.ReadOn(new MemoryStream(bytes[..length]));
        series.ReadOn(new MemoryStream(bytes));

        Assert.Equal((50, 50, "accuracy"), (series.Count, series.LastStep, series.Measure));
        Assert.Equal([.. Enumerable.Range(1, 50).Select(step => (float?)(step * 0.5f))], series.Between(1, 50, 1).Loss);
        series.ReadOn(Lines([Line(1, 7)]));
        Assert.Equal((1, 7f), (series.Count, series.Between(1, 9, 1).Loss[0]));
    }

    [Fact]
    public void A_sample_of_a_long_file_has_lines_of_all_its_parts_and_the_last()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllLines(folder.File("metrics.jsonl"), Enumerable.Range(1, 200_000).Select(step => Line(step, step)));
        using var file = File.OpenRead(folder.File("metrics.jsonl"));

        var series = MetricSample.Read(file, 1, int.MaxValue, 100, 2048);
        var part = MetricSample.Read(file, 50_000, 60_000, 10, 2048);

        Assert.InRange(series.Count, 1000, 3000);
        Assert.Equal(200_000, series.LastStep);
        var points = series.Between(1, 200_000, 2000);
        Assert.InRange(points.Steps.Count, 98, 102);
        // The loss of these lines is their step.
        Assert.All(points.Steps.Zip(points.Loss), point => Assert.InRange(point.Second!.Value, point.First - 2000, point.First));
        Assert.InRange(part.Between(1, int.MaxValue, 1).Steps[0], 49_950, 50_050);
        Assert.InRange(part.LastStep, 59_950, 60_050);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"step\":1")]
    [InlineData("no line\n")]
    public void Of_a_file_without_lines_there_is_no_sample(string text)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("metrics.jsonl"), text);
        using var file = File.OpenRead(folder.File("metrics.jsonl"));

        if (text.StartsWith('n')) Assert.ThrowsAny<JsonException>(() => MetricSample.Read(file, 1, int.MaxValue, 10, 1024));
        else Assert.Equal(0, MetricSample.Read(file, 1, int.MaxValue, 10, 1024).Count);
    }

    [Fact]
    public async Task Of_a_million_lines_some_are_answered_first_and_all_once_they_have_been_read()
    {
        const int Million = 1_000_000, Width = Million / 400;
        var status = new RunStatus
        {
            Run = "million", Id = Guid.NewGuid(), State = RunState.Completed, Steps = Million, StepsTotal = Million,
            Members = [new MemberStatus { Index = 0, State = MemberState.Completed, Step = Million }],
        };
        var path = Path.Combine(served.RunsFolder, "million", "members", "00", "metrics.jsonl");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllLines(path, Enumerable.Range(1, Million).Select(step => Line(step, step % 2)));
        await File.WriteAllTextAsync(Path.Combine(served.RunsFolder, "million", "run.json"), RunStatusJson.ToJson(status), Cancellation);
        await ServedRuns.WaitAsync(async () => (await served.Client.GetAsync("/api/runs/million", Cancellation)).IsSuccessStatusCode);

        var some = await AskAsync();
        Assert.True(some.GetProperty("sampled").GetBoolean());
        IsWhole(some, 0.1);
        await ServedRuns.WaitAsync(async () => !(await AskAsync()).GetProperty("sampled").GetBoolean());
        IsWhole(await AskAsync(), 0);

        async Task<JsonElement> AskAsync()
        {
            var answer = await served.Client.GetStringAsync("/api/runs/million/metrics", Cancellation);
            Assert.InRange(answer.Length, 5_000, 200_000);
            return JsonElement.Parse(answer);
        }

        // A point for every 2,500 steps, and the mean of those lines.
        static void IsWhole(JsonElement answer, double tolerance)
        {
            var member = answer.GetProperty("members")[0];
            var steps = member.GetProperty("steps").EnumerateArray().Select(step => step.GetInt32()).ToArray();
            Assert.Equal((Width, Million), (answer.GetProperty("step").GetInt32(), steps[^1]));
            Assert.Equal(Enumerable.Range(0, 400), steps.Select(step => (step - 1) / Width));
            Assert.All(member.GetProperty("loss").EnumerateArray(), loss => Assert.Equal(0.5, loss.GetDouble(), tolerance));
        }
    }

    [Fact]
    public void A_loss_that_is_no_number_leaves_a_gap_and_validation_scores_are_kept_apart()
    {
        var series = new MetricSeries();
        series.ReadOn(Lines([
            """{"step":1,"epoch":0.1,"learningRate":0.1,"loss":null,"l2":0,"validation":{"nll":0.5},"accuracy":0.25}""",
            """{"step":2,"epoch":0.2,"learningRate":0.1,"loss":2,"l2":0,"accuracy":0.5}"""]));

        Assert.Equal([null, 2f], series.Between(1, 2, 1).Loss);
        Assert.Equal([0.25f, 0.5f], series.Between(1, 2, 1).Quality);
        var point = Assert.Single(series.ValidationBetween(1, 2, 1));
        Assert.Equal((1, 0.5), (point.Step, point.Values["nll"]));
    }

    [Fact]
    public void Of_many_scores_on_the_validation_split_each_width_of_steps_has_the_last()
    {
        var series = new MetricSeries();
        series.ReadOn(Lines(Enumerable.Range(1, 1000).Select(step => $$"""{"step":{{step}},"epoch":1,"learningRate":0.1,"loss":1,"l2":0,"validation":{"nll":{{step}}},"accuracy":0.5}""")));

        Assert.Equal([200.0, 300, 400, 450], series.ValidationBetween(101, 450, 100).Select(point => point.Values["nll"]));
        Assert.Equal(1000, series.ValidationBetween(1, int.MaxValue, 1).Count());
    }

    [Fact]
    public void A_line_without_an_end_is_no_line_however_long_it_is()
    {
        var series = new MetricSeries();
        var file = new MemoryStream();
        file.Write(Encoding.UTF8.GetBytes(Line(1, 1) + "\n"));
        file.Write(new byte[1 << 20]);
        file.Write(Encoding.UTF8.GetBytes($"\n{Line(2, 2)}\n"));

        var tries = 0;
        for (; series.BytesRead < file.Length; tries++)
        {
            var error = Record.Exception(() => series.ReadOn(file));
            Assert.True(error is null or InvalidDataException or JsonException, $"{error}");
        }

        Assert.InRange(tries, 2, 100);
        Assert.Equal(1, series.Between(1, 9, 1).Loss[0]);
    }

    [Fact]
    public async Task Long_curves_count_among_the_bytes_in_memory_before_they_are_written()
    {
        using var folder = new TemporaryFolder();
        const int Steps = 5000;
        var status = new RunStatus
        {
            Run = "long", Id = Guid.NewGuid(), State = RunState.Completed, Steps = Steps, StepsTotal = Steps,
            Members = [new MemberStatus { Index = 0, State = MemberState.Completed, Step = Steps }],
        };
        var path = Path.Combine(folder.Path, "long", "members", "00", "metrics.jsonl");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllLines(path, Enumerable.Range(1, Steps).Select(step => Line(step, step)));
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "long", "run.json"), RunStatusJson.ToJson(status), Cancellation);
        foreach (var (bytes, expected) in new[] { (100_000, HttpStatusCode.RequestEntityTooLarge), (10_000_000, HttpStatusCode.OK) })
        {
            await using var server = await HttpServer.StartAsync(
                served.Grains, folder.Path, new HttpSettings { Url = "http://127.0.0.1:0", MaxBodyBytes = 1024, MaxBytesInFlight = bytes }, cancellation: Cancellation);
            using var client = new HttpClient { BaseAddress = new Uri(server.Url) };

            using var few = await client.GetAsync("/api/runs/long/metrics?step=100", Cancellation);
            using var many = await client.GetAsync("/api/runs/long/metrics?step=1", Cancellation);

            Assert.Equal((HttpStatusCode.OK, expected), (few.StatusCode, many.StatusCode));
        }
    }

    [Fact]
    public async Task A_disk_that_does_not_answer_holds_up_no_one_who_asks_for_what_has_been_read()
    {
        using var folder = new TemporaryFolder();
        var (run, path) = (RunKey.New("slow"), Path.Combine(folder.Path, "slow", "members", "00", "metrics.jsonl"));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllLines(path, [Line(1, 1), Line(2, 2)]);
        var history = new MetricHistory(new FolderStorage(folder.Path));
        Assert.Equal(2, history.Ask(run, 0, series => series.LastStep));
        using ManualResetEventSlim opening = new(), answers = new();
        var isFirst = 1;
        using var hangs = FileOperations.Observe(
            folder.Path,
            (_, _) =>
            {
                if (Interlocked.Exchange(ref isFirst, 0) == 0) return;
                opening.Set();
                answers.Wait();
            },
            reads: true);

        File.AppendAllLines(path, [Line(3, 3)]);
        var reader = Task.Factory.StartNew(
            () => history.Ask(run, 0, series => series.LastStep), Cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        opening.Wait(Cancellation);

        // Its file is still being opened.
        Assert.Equal(2, history.Ask(run, 0, series => series.LastStep));
        Assert.False(reader.IsCompleted);
        answers.Set();
        Assert.Equal(3, await reader);
    }

    private static MemoryStream Lines(IEnumerable<string> lines) => new(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))));

    private static string Line(int step, double loss) => $$"""{"step":{{step}},"epoch":0.5,"learningRate":0.1,"loss":{{loss}},"l2":0.001,"accuracy":0.75}""";
}
