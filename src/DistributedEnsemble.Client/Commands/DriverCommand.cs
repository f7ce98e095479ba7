using System.CommandLine;

namespace DistributedEnsemble.Client.Commands;

/// <summary>A command of the driver, with command lines to copy.</summary>
internal abstract class DriverCommand(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;
}
