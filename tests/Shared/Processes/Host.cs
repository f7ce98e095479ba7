namespace DistributedEnsemble.Tests.Processes;

/// <summary>Where processes run: this machine, or a network namespace of it that has an address of its own.</summary>
/// <param name="Namespace">Null is this machine's.</param>
internal sealed record Host(string Address, string? Namespace = null)
{
    public static Host Here { get; } = new("127.0.0.1");

    /// <summary>What processes there know besides the variables of this one.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public LocalProcess Start(string program, IEnumerable<string> arguments) => Namespace is null
        ? new LocalProcess(program, arguments, Environment)
        : new LocalProcess("ip", ["netns", "exec", Namespace, program, .. arguments], Environment);
}
