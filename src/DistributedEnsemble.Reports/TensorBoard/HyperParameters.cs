using System.Text.Json;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Reports.TensorBoard;

/// <summary>What a run was given, for TensorBoard's table of runs: every key of its spec that is one value.</summary>
/// <param name="run">All members' spec.</param>
internal sealed class HyperParameters(EnsembleSpec run)
{
    /// <summary>
    /// The columns of the table. TensorBoard takes them from one of the files, whichever comes first: each has those of all members,
    /// which may differ in network or optimizer.
    /// </summary>
    private readonly (string Key, int Kind)[] _columns = [.. Enumerable.Range(0, Math.Max(1, run.Variants.Count)).Select(run.OfMember).Prepend(run)
        .SelectMany(SpecValues.Of).DistinctBy(value => value.Key).Select(value => (value.Key, KindOf(value.Value)))];

    /// <param name="spec">The member's, or that of all.</param>
    /// <param name="group">What the run is called.</param>
    public void Write(EventFile file, EnsembleSpec spec, string group, DateTimeOffset begun)
    {
        var (experiment, session) = (new ProtobufMessage(), new ProtobufMessage());
        foreach (var (name, kind) in _columns) experiment.Add(4, new ProtobufMessage().Add(1, name).Add(4, kind));
        foreach (var (name, value) in SpecValues.Of(spec)) session.Add(1, new ProtobufMessage().Add(1, name).Add(2, Value(value)));
        foreach (var metric in new[] { "loss", "test/nll", "validation/nll" }) experiment.Add(5, new ProtobufMessage().Add(1, new ProtobufMessage().Add(2, metric)));
        session.Add(4, group).Add(5, begun.ToUnixTimeMilliseconds() / 1000.0);
        file.HyperParameters("_hparams_/experiment", new ProtobufMessage().Add(1, 0).Add(2, experiment), begun);
        file.HyperParameters("_hparams_/session_start_info", new ProtobufMessage().Add(1, 0).Add(3, session), begun);
    }

    /// <summary>Text, truth or number.</summary>
    private static int KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => 3,
        JsonValueKind.True or JsonValueKind.False => 2,
        JsonValueKind.String or JsonValueKind.Null or JsonValueKind.Array or JsonValueKind.Object or JsonValueKind.Undefined => 1,
    };

    private static ProtobufMessage Value(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => new ProtobufMessage().Add(2, value.GetDouble()),
        JsonValueKind.True => new ProtobufMessage().Add(4, 1),
        JsonValueKind.False => new ProtobufMessage().Add(4, 0),
        JsonValueKind.String or JsonValueKind.Null or JsonValueKind.Array or JsonValueKind.Object or JsonValueKind.Undefined => new ProtobufMessage().Add(3, value.ToString()),
    };
}
