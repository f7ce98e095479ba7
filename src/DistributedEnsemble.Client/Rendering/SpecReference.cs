using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;
using Spectre.Console;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>Every key of a spec, as the code checks it: for a terminal, for docs/, and for programs.</summary>
internal static class SpecReference
{
    private const int Indent = 4;

    /// <summary>A key on a line of its own, its meaning below it.</summary>
    public static void Write(IAnsiConsole console)
    {
        foreach (var key in SpecSchema.Keys)
        {
            console.Write(new Text($"{key.Path}\n", new Style(decoration: Decoration.Bold)));
            foreach (var line in Wrapped(key.Description + KindsOf(key), console.Profile.Width - Indent)) console.WriteRaw(new string(' ', Indent) + line);
            foreach (var line in Wrapped($"{ValuesOf(key)}; default {key.Default}", console.Profile.Width - Indent)) console.WriteRaw(new string(' ', Indent) + line);
        }
        console.WriteRaw("Each dataset brings its own defaults for some of these: ensemble spec --markdown.");
    }

    /// <summary>docs/spec.md.</summary>
    public static string Markdown()
    {
        var text = new StringBuilder();
        text.AppendLine(
            """
            # The spec

            Everything that decides a run: a JSON file (comments and trailing commas are allowed), or `--set key=value` on the command
            line, which counts over the file. What is left out is as the dataset brings it, or else the default. An optional section
            that is `null` is off; setting a key inside it switches it on. An unknown key is an error. `ensemble spec R` prints the whole spec of a run.

            This page is printed by `ensemble spec --markdown`.

            | key | value | default | meaning |
            |---|---|---|---|
            """);
        foreach (var key in SpecSchema.Keys)
            text.AppendLine($"| `{key.Path}` | {Cell(ValuesOf(key))} | {Cell(key.Default)} | {Cell(key.Description + KindsOf(key))} |");
        text.AppendLine(
            """

            ## Stopping early

            With `training.earlyStopping` a member measures its weights on the validation rows, as a prediction would, after steps n,
            2n, … (n is `everySteps`) and after the last planned one, T. It keeps its best weights so far; of equals the first. After
            `patience` evaluations in a row without a better one it ends, and its final model, in the file names and in run.json, is
            the best one with the step of that one. When it will end nobody knows while it trains, so that a step's place in the plan of T
            steps is fixed beforehand, and the end is where the member really comes to:

            | | of the plan's T steps | of the steps that really happen |
            |---|---|---|
            | learning rate | milestones, cosines and the bounds of cycles: they do not move | the last cycle is cut off where the member ends, at the rate of that step |
            | snapshots | their steps, ⌈i·T/M⌉, which end the cycles where there are as many | there are those that the member comes to. The best model is kept besides them, and `prediction.from: snapshots` averages it with them; without `snapshots` it is all that is kept |
            | EMA | hand-overs at each `everySteps`; resets at the ends of cycles | the last hand-over is the real end, and counts by the steps since the one before. It is the average of the steps up to the end, not up to the best one |
            | run.json | the steps of a member until it ends | then the steps that it took, and that of its final model, its best |

            The rest of it:

            - metrics.jsonl has `"validation":{"nll":…}` in the lines of these steps, measured after the step's update.
            - An evaluation that gives no number is not better than any. A loss that is none fails the member, as ever.

            The validation rows have then chosen the models that they select, calibrate and compare afterwards: these figures are a
            little too good, while those of the test rows are not.

            `ensemble train --time-limit 5m` measures the pace by some seconds of real steps that nothing is kept of, and writes into
            the spec as many of its epochs as nine tenths of the time allow, counted from the start of the command. Schedule, cycles,
            snapshots and EMA are those of that many epochs: T is theirs, and members may stop before. No weight depends on the time after
            that: the run is repeated bit by bit from its spec (`ensemble spec R`). Variants that say their own epochs take no time limit: it
            has one number for all, and cuts nothing that is said.

            ## What each dataset brings

            A table of 1,000 rows brings what `x.csv` does; how it depends on rows and task: [tables](tables.md#defaults). Variants that a
            dataset brings count where the spec and its flags say nothing of their sections: with `model.hidden=[64]` all members have that
            network. A dataset's learning rate is meant for the kind of network that it brings. With sgd, a lenet gets half of what the other
            kinds get: half of an mlp's rate, and an mlp twice a lenet's. Variants follow the same rule where the spec says no learning rate;
            the rate is then written into the variant.

            | dataset | its defaults |
            |---|---|
            """);
        IDatasetSource[] sources = [.. new DatasetRegistry().Sources, new TableSource("x.csv")];
        foreach (var source in sources) text.AppendLine($"| {source.Name} | `{string.Join("`, `", Settings(source.Defaults, ""))}` |");
        return text.ToString();
    }

    public static IEnumerable<SpecKeyEntry> Entries() =>
        SpecSchema.Keys.Select(key => new SpecKeyEntry(key.Path, key.TypeName, key.Range, key.Default, key.Description, key.Kinds));

    private static IEnumerable<string> Wrapped(string text, int width)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }
            line = line.Length == 0 ? word : $"{line} {word}";
        }
        yield return line;
    }

    private static string ValuesOf(SpecKey key) => key.Range is null ? key.TypeName : $"{key.TypeName} in {key.Range}";

    private static string KindsOf(SpecKey key) => key.IsRegistered ? " Only with kinds that the host registered." : key.Kinds.Count == 0 ? "" : $" Only with {string.Join(" and ", key.Kinds)}.";

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static IEnumerable<string> Settings(JsonObject section, string path) => section.SelectMany(entry => entry.Value is JsonObject below
        ? Settings(below, $"{path}{entry.Key}.")
        : [$"{path}{entry.Key}={(entry.Value is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : entry.Value?.ToJsonString())}"]);
}

/// <param name="Range">The interval of its numbers; null unless it has some.</param>
/// <param name="Kinds">The kinds of its section that have it; empty is all of them.</param>
internal sealed record SpecKeyEntry(string Key, string Type, string? Range, string Default, string Meaning, IReadOnlyList<string> Kinds);
