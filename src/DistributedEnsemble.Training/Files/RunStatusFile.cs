using System.Collections.Immutable;
using System.Text.Json;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Training.Files;

/// <summary>Reads run.json, which may be damaged: what is returned can be shown and used without another check.</summary>
internal static class RunStatusFile
{
    /// <returns>Null if there is no such run.</returns>
    /// <exception cref="InvalidDataException">The file is damaged; the message names it.</exception>
    public static RunStatus? Read(RunFolder folder)
    {
        try
        {
            return Parse(folder.ReadAllText(RunFolder.StatusFile), folder);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <inheritdoc cref="Read" path="/exception"/>
    internal static RunStatus Parse(string json, RunFolder folder)
    {
        try
        {
            var status = RunStatusJson.FromJson(json);
            // Nothing is damaged: somebody has renamed the folder, or copied it.
            if (status.Run is { Length: > 0 } other && other != folder.Name)
                throw new InvalidDataException($"{folder.Status} is of the run {OneLine.Quoted(other)}, and its folder has another name: rename it to that.");
            return Fault(status, folder) is { } fault ? throw new InvalidDataException($"{folder.Status} is damaged: {fault}.") : status;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{folder.Status} is damaged: it is not the JSON of a run's status (line {e.LineNumber + 1 ?? 1}, at {e.Path ?? "$"}).", e);
        }
    }

    private static string? Fault(RunStatus status, RunFolder folder)
    {
        if (status.Run != folder.Name) return "it names no run";
        if (status.Members.IsDefaultOrEmpty || status.Members.Any(member => member is null)) return "it has no members";
        if (status.Members.Where((member, index) => member.Index != index).Any()) return "its members are not numbered from 0";
        if (status.Steps < 0 || status.Steps > status.StepsTotal || status.Members.Any(member => member.StepsTotal < 1 || member.Step < 0 || member.Step > member.StepsTotal))
            return "it has steps that cannot be";
        if (status.Snapshots.IsDefault || status.Ema.IsDefault) return "it has no list of weights";
        return status.Snapshots.Concat(status.Ema).Select(file => Fault(file, status.Members, folder)).FirstOrDefault(fault => fault is not null);
    }

    private static string? Fault(WeightFile? file, ImmutableArray<MemberStatus> members, RunFolder folder)
    {
        if (file is not { File: not null, Sha256.Length: 64 } || file.Member < 0 || file.Member >= members.Length || file.Step < 1 || file.Step > members[file.Member].StepsTotal)
            return "it names weights that cannot be";
        try
        {
            _ = folder.Path(file.File);
            return null;
        }
        catch (ArgumentException)
        {
            return $"it names {OneLine.Quoted(file.File)}, which is no file of the run";
        }
    }
}
