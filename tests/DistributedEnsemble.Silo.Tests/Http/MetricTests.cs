using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Silo.Http.Metrics;

namespace DistributedEnsemble.Silo.Tests.Http;

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
    public void A_loss_that_is_no_number_leaves_a_gap_and_validation_scores_are_kept_apart()
    {
        var series = new MetricSeries();
        series.ReadOn(Lines([
            """{"step":1,"epoch":0.1,"learningRate":0.1,"loss":null,"l2":0,"validation":{"nll":0.5},"accuracy":0.25}""",
            """{"step":2,"epoch":0.2,"learningRate":0.1,"loss":2,"l2":0,"accuracy":0.5}"""]));

        Assert.Equal([null, 2f], series.Between(1, 2, 1).Loss);
        Assert.Equal([0.25f, 0.5f], series.Between(1, 2, 1).Quality);
        var point = Assert.Single(series.Validation);
        Assert.Equal((1, 0.5), (point.Step, point.Values["nll"]));
    }

    private static MemoryStream Lines(IEnumerable<string> lines) => new(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))));

    private static string Line(int step, double loss) => $$"""{"step":{{step}},"epoch":0.5,"learningRate":0.1,"loss":{{loss}},"l2":0.001,"accuracy":0.75}""";
}
