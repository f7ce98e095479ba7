using System.Globalization;
using System.Text.Json.Serialization;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Answers;
using DistributedEnsemble.Serving.Authorization;
using DistributedEnsemble.Serving.Runs;

namespace DistributedEnsemble.Serving.Metrics;

/// <summary>
/// The past of a run's members: their metric lines within a range of steps, one point for as many steps as are asked for, so that
/// a picture of a million lines is a small answer.
/// </summary>
internal sealed class MetricEndpoints(RunIndex runs, MetricHistory history, Admission admission)
{
    private const int DefaultPoints = 400, MostPoints = 200_000, MostPointsOfMember = 20_000;

    /// <summary>Of files, for one answer: what is read in some hundredths of a second.</summary>
    private const long MostBytes = 3L << 20;

    public void Map(IEndpointRouteBuilder app) => app.MapGet(
        "/api/runs/{name}/metrics",
        (HttpContext context, string name, string? members, string? from, string? to, string? step, string? columns) =>
            AnswerAsync(context, name, members, from, to, step, columns)).Needs(Access.Inference);

    private async Task<JsonAnswer> AnswerAsync(HttpContext context, string name, string? members, string? from, string? to, string? step, string? columns)
    {
        var asked = ColumnsOf(columns);
        var status = runs.Find(name) ?? throw HttpError.NotFound($"There is no run {OneLine.Quoted(name)} here: GET /api/runs lists those that are.");
        var chosen = MembersOf(members, status.Members.Length);
        var (first, last) = (Number("from", from) ?? 1, Number("to", to) ?? int.MaxValue);
        var end = (int)Math.Min(last, Math.Max(1, status.StepsTotal / Math.Max(1, status.Members.Length)));
        var most = Math.Clamp(MostPoints / Math.Max(1, chosen.Count), 10, MostPointsOfMember);
        var range = Math.Max(1L, end - (long)first + 1);
        var width = (int)Math.Max(Number("step", step) ?? Math.Max(1, range / Math.Min(DefaultPoints, most)), (range + most - 1) / most);
        var run = new RunKey(status.Run, status.Id);
        // Held until the answer is sent.
        var lease = admission.Bytes();
        context.Response.RegisterForDispose(lease);
        var cancellation = context.RequestAborted;
        return await Task.Run(() =>
        {
            var (isSampled, bytes) = (false, MostBytes / Math.Max(1, chosen.Count));
            string? measure = null;
            var answers = new List<MemberMetrics>();
            foreach (var member in chosen)
            {
                cancellation.ThrowIfCancellationRequested();
                var (answer, isSome) = history.AskSoon(run, member, bytes, Sample, series =>
                {
                    measure ??= series.Measure;
                    return MemberMetrics.Of(member, series.Between(first, last, width), series.ValidationBetween(first, last, width)).Only(asked);
                });
                isSampled |= isSome;
                if (answer is null) continue;
                lease.Add(answer.Bytes);
                answers.Add(answer);
            }

            return JsonAnswer.OfStatus(new { run = run.Name, step = width, measure, sampled = isSampled, members = answers });

            MetricSeries Sample(Stream file)
            {
                var blocks = (int)Math.Clamp(range / width, 1, Math.Max(1, bytes / MetricSample.SmallestBlock));
                return MetricSample.Read(file, first, last, blocks, (int)Math.Max(MetricSample.SmallestBlock, bytes / blocks));
            }
        }, cancellation);
    }

    private static int? Number(string name, string? text) =>
        text is null ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 ? number
        : throw HttpError.BadRequest($"{name} is {OneLine.Quoted(text)}: it must be a whole number from 1.");

    private static string[] ColumnsOf(string? text)
    {
        var columns = text?.Split(',') ?? MemberMetrics.Columns;
        return columns.FirstOrDefault(column => !MemberMetrics.Columns.Contains(column)) is { } unknown
            ? throw HttpError.BadRequest($"columns has {OneLine.Quoted(unknown)}: it lists some of {string.Join(", ", MemberMetrics.Columns)}.")
            : columns;
    }

    /// <summary>All of them, or those of a list as in <c>0,3,10-19</c>.</summary>
    private static List<int> MembersOf(string? text, int count)
    {
        if (text is null) return [.. Enumerable.Range(0, count)];
        var isChosen = new bool[count];
        foreach (var part in text.Split(','))
        {
            var ends = part.Split('-');
            if (ends.Length > 2 || !int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
                || !int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last) || last < first || last >= count)
            {
                throw HttpError.BadRequest($"members is {OneLine.Quoted(text)}: it lists members from 0 to {count - 1}, as in 0,3,10-19.");
            }

            isChosen.AsSpan(first..(last + 1)).Fill(true);
        }

        return [.. Enumerable.Range(0, count).Where(member => isChosen[member])];
    }
}

/// <summary>Curves of one member, in columns of equal lengths; null are those that were not asked for.</summary>
/// <param name="Low">The lowest of the losses that a point stands for.</param>
/// <param name="Quality">The measure that the answer names.</param>
/// <param name="Validation">Null for a member that was never measured on the validation split.</param>
internal sealed record MemberMetrics(
    int Member, IReadOnlyList<int> Steps, IReadOnlyList<float?>? Loss, IReadOnlyList<float?>? Low, IReadOnlyList<float?>? High, IReadOnlyList<float?>? LearningRate,
    IReadOnlyList<float?>? Quality, ValidationCurve? Validation)
{
    /// <summary>Those that can be asked for; "range" is the lowest and highest loss.</summary>
    public static readonly string[] Columns = ["loss", "range", "quality", "learningRate"];

    /// <summary>Of memory, about: a step with a number of each column, and of each score on the validation split.</summary>
    [JsonIgnore]
    public long Bytes => (40L * Steps.Count) + (Validation is { } scores ? scores.Steps.Count * (8L + (16 * scores.Values.Count)) : 0);

    public MemberMetrics Only(string[] columns) => this with
    {
        Loss = columns.Contains("loss") ? Loss : null,
        Low = columns.Contains("range") ? Low : null,
        High = columns.Contains("range") ? High : null,
        Quality = columns.Contains("quality") ? Quality : null,
        LearningRate = columns.Contains("learningRate") ? LearningRate : null,
    };

    public static MemberMetrics Of(int member, MetricPoints points, IEnumerable<ValidationPoint> validation) => new(
        member, points.Steps, points.Loss, points.Low, points.High, points.LearningRate, points.Quality, ValidationCurve.Of([.. validation]));
}

/// <param name="Values">By measure; null where a step lacks one.</param>
internal sealed record ValidationCurve(IReadOnlyList<int> Steps, IReadOnlyDictionary<string, IReadOnlyList<double?>> Values)
{
    public static ValidationCurve? Of(IReadOnlyList<ValidationPoint> points) => points.Count == 0 ? null : new ValidationCurve(
        [.. points.Select(point => point.Step)],
        points.SelectMany(point => point.Values.Keys).Distinct().ToDictionary(
            name => name, name => (IReadOnlyList<double?>)[.. points.Select(point => point.Values.TryGetValue(name, out var value) && double.IsFinite(value) ? value : (double?)null)]));
}
