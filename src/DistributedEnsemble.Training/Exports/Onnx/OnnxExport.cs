using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Safetensors;
using Google.Protobuf;
using global::Onnx;
using static global::Onnx.TensorProto.Types;

namespace DistributedEnsemble.Training.Exports.Onnx;

/// <summary>
/// Writes a run as one ONNX file that needs nothing else: raw rows in; the run's preprocessing, the chosen models with their
/// multiplicities and the expectation of dropout, and their average inside; predictions out. The same run gives the same bytes.
/// </summary>
internal static class OnnxExport
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <param name="choice">What differs from the spec's prediction.</param>
    /// <param name="isSingle">Whether only the model of the lowest validation NLL, or the first where there is no validation split.</param>
    /// <param name="output">A file, which is replaced.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="SpecException">Nothing fits the choice, or ONNX knows nothing of a layer.</exception>
    /// <exception cref="InvalidDataException">The run's spec or data description is missing or damaged.</exception>
    /// <exception cref="SafetensorsException">A file of weights is missing or damaged.</exception>
    /// <exception cref="OperationCanceledException">It was given up; the file is as it was.</exception>
    public static OnnxFile Write(RunFolder folder, RunStatus status, ConstituentChoice? choice, bool isSingle, NetworkRegistry networks, string output, CancellationToken cancellation = default)
    {
        var run = RunDescription.Read(folder);
        var models = RunModel.Of(run, networks);
        var task = models.Task;
        var chosen = ChosenConstituents.Of(status, run.Spec, models.Networks, choice);
        if (chosen.MonteCarloSamples > 0)
        {
            const string expectation = "an ONNX file has dropout's expectation in it.";
            throw new SpecException(choice?.MonteCarloSamples is { } asked
                ? $"prediction.monteCarloSamples is {asked}: {expectation} Choose 0 for this file."
                : $"This run's spec has prediction.monteCarloSamples={chosen.MonteCarloSamples}: {expectation} Choose prediction.monteCarloSamples 0 for this file.");
        }

        var selection = ConstituentSelection.Stored(folder, status.Run, task, chosen);
        task = task.FittedBy(selection.Fit);
        var isCalibrated = selection.Fit?.Fit is not null && !(isSingle && selection.Constituents.Length > 1);
        if (isSingle)
        {
            var best = selection.Fit?.Best(selection.Constituents) ?? 0;
            selection = selection with { Constituents = [selection.Constituents[best]], Multiplicities = [1] };
        }

        var graph = OnnxEnsemble.Graph(status.Run, run.Data, task, isCalibrated, Models(folder, models, selection, cancellation));
        OnnxConstituent[] constituents = [.. selection.Constituents.Zip(selection.Multiplicities, (file, weight) => new OnnxConstituent(file.Member, file.Step, weight, file.Sha256))];
        var model = OnnxEnsemble.Model(
            graph, task, [("run", status.Run), .. OnnxEnsemble.Columns(run.Data), ("constituents", JsonSerializer.Serialize(constituents, s_json))]);
        var sha256 = AtomicFile.Write(output, stream =>
        {
            using var hash = SHA256.Create();
            using (var hashed = new CryptoStream(stream, hash, CryptoStreamMode.Write, leaveOpen: true)) model.WriteTo(hashed);
            return Convert.ToHexStringLower(hash.Hash!);
        });
        return new OnnxFile(
            status.Run, output, sha256, new FileInfo(output).Length, [.. constituents], [.. graph.Inputs.Select(Describe)], [.. graph.Outputs.Select(Describe)]);
    }

    /// <summary>One at a time, each for as long as its weights are asked for.</summary>
    private static IEnumerable<OnnxModel> Models(RunFolder folder, RunModel model, ConstituentSelection selection, CancellationToken cancellation)
    {
        foreach (var (file, multiplicity) in selection.Constituents.Zip(selection.Multiplicities))
        {
            cancellation.ThrowIfCancellationRequested();
            var network = model.Networks.Of(file.Member);
            using var weights = WeightFiles.LoadWeights(folder, file, network.Layout);
            yield return new OnnxModel($"member{file.Member}.step{file.Step}.", network, weights, multiplicity);
        }
    }

    private static OnnxValue Describe(ValueInfoProto value) => new(
        value.Name, JsonNamingPolicy.CamelCase.ConvertName($"{(DataType)value.Type.TensorType.ElemType}"),
        [.. value.Type.TensorType.Shape.Dim.Select(size => size.DimParam.Length > 0 ? -1 : size.DimValue)], value.DocString);
}

/// <summary>What was written.</summary>
/// <param name="Sha256">Of the file's bytes.</param>
internal sealed record OnnxFile(
    string Run, string File, string Sha256, long Bytes, ImmutableArray<OnnxConstituent> Constituents, ImmutableArray<OnnxValue> Inputs, ImmutableArray<OnnxValue> Outputs);

/// <param name="Weight">How often it counts in the average.</param>
/// <param name="Sha256">Of its weights.</param>
internal sealed record OnnxConstituent(int Member, int Step, int Weight, string Sha256);

/// <param name="Type">float, double or string.</param>
/// <param name="Shape">−1 is the number of rows.</param>
/// <param name="Meaning">For people.</param>
internal sealed record OnnxValue(string Name, string Type, ImmutableArray<long> Shape, string Meaning);
