using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>Dropout of a network's channels, and batches that are repeated under several masks, beside dropout of its dense layers alone.</summary>
/// <param name="Description">Of data and training.</param>
public sealed record DropoutResults(
    string Command, string Date, MachineInfo Machine, double Minutes, string Description, int Masks, IReadOnlyList<DropoutResult> Kinds) : IPageSection
{
    /// <summary>The kind of the network.</summary>
    public string Network { get; init; } = "lenet";

    /// <summary>In the folder of the experiments.</summary>
    [JsonIgnore]
    public string File => FileOf(Network);

    private static readonly JsonSerializerOptions s_json = new(RunStatusJson.Options) { WriteIndented = true, NewLine = "\n" };

    public string ToJson() => JsonSerializer.Serialize(this, s_json) + "\n";

    /// <returns>Null if the folder has none.</returns>
    public static DropoutResults? Find(string folder, string network) => Path.Combine(folder, FileOf(network)) is var path && System.IO.File.Exists(path)
        ? JsonSerializer.Deserialize<DropoutResults>(System.IO.File.ReadAllText(path), s_json)
        : null;

    void IPageSection.WriteTo(StringBuilder page, string name)
    {
        page.Append(CultureInfo.InvariantCulture, $"""

            ## Dropout of channels, and repeated batches{(Network == "lenet" ? "" : ": a residual network")}

            Written by `{Command}` on {Date}, from [{File}]({name}/{File}), in {Minutes:0} minutes on {Machine.Cpu} ({Machine.InstructionSet}).
            {Description}
            Numbers are means over seeds ± their standard error; the change is that of the same members beside the first line that has dropout, paired within
            the seed, ± half of its 95 % interval. Steps are the same for all; with r repeats a step sees each row of its batch under r masks.

            | dropout | passes of a step | test error, % | NLL | NLL, {Masks} masks | change of the error, points | change of the NLL | change of the NLL, {Masks} masks |
            |---|--:|--:|--:|--:|--:|--:|--:|

            """);
        foreach (var kind in Kinds)
        {
            page.Append(CultureInfo.InvariantCulture,
                $"| {kind.Name} | {kind.Passes} | {Of(kind.Error, 100, "0.00")} | {Of(kind.Nll, 1, "0.0000")} | {Of(kind.SampledNll, 1, "0.0000")} | {Change(kind.ErrorChange, 100, "0.00")} | {Change(kind.NllChange, 1, "0.0000")} | {Change(kind.SampledNllChange, 1, "0.0000")} |\n");
        }

        (string Kind, string What, Estimate? Change)[] changes =
        [
            .. Kinds.SelectMany(kind => ((string, string, Estimate?)[])
                [(kind.Name, "error", kind.ErrorChange), (kind.Name, "NLL", kind.NllChange), (kind.Name, $"NLL, {Masks} masks", kind.SampledNllChange)]),
        ];
        string[] clear =
        [
            .. changes.Where(each => each.Change is { } change && Math.Abs(change.Mean) > change.Margin)
                .Select(each => $"{each.What} of \"{each.Kind}\" ({(each.Change!.Mean < 0 ? "lower" : "higher")})"),
        ];
        page.Append(CultureInfo.InvariantCulture,
            $"\nChanges whose interval does not hold zero: {(clear.Length == 0 ? "none" : string.Join(", ", clear))}. Of the others these seeds do not say.\n");
    }

    private static string FileOf(string network) => network == "lenet" ? "dropout.json" : $"dropout-{network}.json";

    private static string Of(Estimate estimate, double factor, string format) => string.Create(
        CultureInfo.InvariantCulture, $"{(factor * estimate.Mean).ToString(format, CultureInfo.InvariantCulture)} ± {(factor * estimate.StandardError ?? 0).ToString(format, CultureInfo.InvariantCulture)}");

    private static string Change(Estimate? change, double factor, string format) => change is null ? "" : string.Create(
        CultureInfo.InvariantCulture, $"{(factor * change.Mean).ToString($"+{format};−{format};{format}", CultureInfo.InvariantCulture)} ± {(factor * change.Margin).ToString(format, CultureInfo.InvariantCulture)}");
}

/// <param name="Passes">Through the network, of each row of a step's batch.</param>
/// <param name="Error">Of single models by weight scaling, as a share of the test rows.</param>
/// <param name="SampledNll">By Monte-Carlo dropout.</param>
/// <param name="ErrorChange">Beside plain dropout; null of that itself.</param>
public sealed record DropoutResult(
    string Name, string Dropout, int Passes, Estimate Error, Estimate Nll, Estimate SampledNll, Estimate? ErrorChange, Estimate? NllChange, Estimate? SampledNllChange);
