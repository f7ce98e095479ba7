using System.Text.Json;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Reports.TensorBoard;

/// <summary>What a run was given, for TensorBoard's table of runs: every key of its spec that is one value.</summary>
internal static class HyperParameters
{
    /// <param name="group">What the run is called.</param>
    public static void Write(EventFile file, EnsembleSpec spec, string group, DateTimeOffset begun)
    {
        var values = SpecValues.Of(spec);
        var (experiment, session) = (new ProtobufMessage(), new ProtobufMessage());
        foreach (var (name, value) in values)
        {
            var kind = value.ValueKind switch
            {
                JsonValueKind.Number => 3,
                JsonValueKind.True or JsonValueKind.False => 2,
                JsonValueKind.String or JsonValueKind.Null or JsonValueKind.Array or JsonValueKind.Object or JsonValueKind.Undefined => 1,
            };
            experiment.Add(4, new ProtobufMessage().Add(1, name).Add(4, kind));
            session.Add(1, new ProtobufMessage().Add(1, name).Add(2, Value(value)));
        }

        foreach (var metric in new[] { "loss", "test/nll", "validation/nll" }) experiment.Add(5, new ProtobufMessage().Add(1, new ProtobufMessage().Add(2, metric)));
        session.Add(4, group).Add(5, begun.ToUnixTimeMilliseconds() / 1000.0);
        file.HyperParameters("_hparams_/experiment", new ProtobufMessage().Add(1, 0).Add(2, experiment), begun);
        file.HyperParameters("_hparams_/session_start_info", new ProtobufMessage().Add(1, 0).Add(3, session), begun);
    }

    private static ProtobufMessage Value(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => new ProtobufMessage().Add(2, value.GetDouble()),
        JsonValueKind.True => new ProtobufMessage().Add(4, 1),
        JsonValueKind.False => new ProtobufMessage().Add(4, 0),
        JsonValueKind.String or JsonValueKind.Null or JsonValueKind.Array or JsonValueKind.Object or JsonValueKind.Undefined => new ProtobufMessage().Add(3, value.ToString()),
    };
}
