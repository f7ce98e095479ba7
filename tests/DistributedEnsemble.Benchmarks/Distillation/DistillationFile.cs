using System.Globalization;
using System.Text;
using System.Text.Json;

namespace DistributedEnsemble.Benchmarks.Distillation;

/// <summary>All that was measured in one file: data that is measured again takes the place of what was measured of it before.</summary>
internal sealed class DistillationFile
{
    private readonly List<DistillationResult> _results = [];

    public static DistillationFile Read(FileInfo? file)
    {
        var results = new DistillationFile();
        if (file is not { Exists: true }) return results;
        using var document = JsonDocument.Parse(File.ReadAllText(file.FullName));
        results._results.AddRange(document.RootElement.GetProperty("results").Deserialize<List<DistillationResult>>(Report.Json)!);
        return results;
    }

    /// <summary>What is known of some data, each seed with the commit that it was measured at.</summary>
    public IReadOnlyList<DistillationSeed> Of(string data) => _results.Find(result => result.Data == data) is { } known
        ? [.. known.Seeds.Select(seed => seed with { Commit = seed.Commit ?? known.Origin.Commit })] : [];

    public void Set(DistillationResult result)
    {
        var place = _results.FindIndex(former => former.Data == result.Data);
        if (place < 0) _results.Add(result);
        else _results[place] = result;
    }

    public string ToJson() => JsonSerializer.Serialize(new { Benchmark = "distillation", Results = _results }, Report.Json) + "\n";

    /// <summary>docs/benchmarks/distillation.md.</summary>
    public string Page()
    {
        var text = new StringBuilder();
        text.AppendLine(
            """
            # One model in place of ten

            What a student keeps of the gain of ten members over their mean member: (NLL of the member − NLL of the student) / (NLL of the
            member − NLL of the ten), on the test split, summed over the seeds, with its standard error over them. Each seed is a
            run as `ensemble train` trains it by default, and its student as `ensemble distill` does, which answers in one forward. More
            than 100 % is a student better than its teacher; below 0 % it is worse than a member. Where ten members gain next to nothing, the
            share says little: the NLL stands beside it. Whether students keep half of the gain is open where the 95 % interval of what they
            have beyond it, paired by seeds (Student's t), holds 0.

            | data | kept | ± | half | seeds | member, NLL | ten, NLL | student, NLL | commit |
            |---|--:|--:|---|--:|--:|--:|--:|---|
            """);
        foreach (var result in _results)
        {
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {result.Data} | {result.Kept:0 %} | {result.StandardError:0 %} | {result.Reached} | {result.Seeds.Count} | {result.Seeds.Average(seed => seed.Single):0.0000} | "
                + $"{result.Seeds.Average(seed => seed.Teacher):0.0000} | {result.Seeds.Average(seed => seed.Student):0.0000} | {result.Commits} |");
        }

        string Named(string reached) => _results.Where(result => result.Reached == reached).Select(result => result.Data).ToArray() is { Length: > 0 } names
            ? $"{names.Length} ({string.Join("; ", names)})" : "none";
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"The goal is half of the gain, 50 %: {_results.Count(result => result.Kept >= 0.5)} of {_results.Count} reach it. Beyond chance do {Named("yes")}, do not {Named("no")}; open: {Named("open")}.");
        text.AppendLine();
        text.AppendLine("Printed by `dotnet run -c Release --project tests/DistributedEnsemble.Benchmarks -- distillation FOLDER --page docs/benchmarks/distillation.md --output docs/benchmarks/distillation.json`.");
        return text.ToString();
    }
}
