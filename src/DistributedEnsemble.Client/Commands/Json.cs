using System.Text.Json;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Runs;
using Spectre.Console;

namespace DistributedEnsemble.Client.Commands;

internal static class Json
{
    /// <summary>Writes one object on one line.</summary>
    public static void WriteJson<T>(this IAnsiConsole console, T value) =>
        console.WriteRaw(JsonSerializer.Serialize(value, RunStatusJson.Options));
}
