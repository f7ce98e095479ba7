using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Scheduling;

namespace DistributedEnsemble.Simulation;

/// <summary>The machines are functions: whatever their code comes to is without Orleans, TorchSharp, disks, clocks, chance and threads.</summary>
public sealed class PurityTests
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    private static readonly string[] s_impure =
    [
        "Orleans.", "TorchSharp.", "Microsoft.Extensions.", "System.IO.", "System.Net.", "System.Threading.", "System.TimeProvider", "System.Diagnostics.Stopwatch",
        "System.Diagnostics.Process", "System.Random", "System.Environment.get_Tick", "System.Environment.GetEnv", "System.Console", "System.DateTime.get_", "System.DateTimeOffset.get_", "System.Guid.NewGuid",
    ];

    private static readonly Dictionary<short, OpCode> s_codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    [Theory, InlineData(typeof(RunMachine)), InlineData(typeof(PlacementMachine))]
    public void A_machine_comes_to_nothing_of_the_world(Type machine)
    {
        var methods = Reached(machine);

        Assert.Equal("", string.Join('\n', methods.SelectMany(method => References(method).Where(IsImpure).Select(member => $"{Name(method)} uses {Name(member)}")).Distinct()));
        Assert.True(methods.Count > 50, $"Only {methods.Count} methods were looked at.");
    }

    [Fact]
    public void What_is_impure_is_seen() =>
        Assert.Contains(Reached(typeof(StoreError)), method => References(method).Any(IsImpure));

    /// <summary>The methods of the assembly that a type's code comes to; the types that the compiler makes for lambdas and iterators as a whole.</summary>
    private static HashSet<MethodBase> Reached(Type type)
    {
        var reached = new HashSet<MethodBase>();
        var open = new Stack<MethodBase>(Methods(type));
        while (open.TryPop(out var method))
        {
            if (!reached.Add(method)) continue;
            foreach (var next in References(method).OfType<MethodBase>().Where(next => next.DeclaringType?.Assembly == type.Assembly))
            {
                open.Push(next);
                if (!next.DeclaringType!.IsDefined(typeof(CompilerGeneratedAttribute))) continue;
                foreach (var other in Methods(next.DeclaringType!)) open.Push(other);
            }
        }

        return reached;
    }

    private static IEnumerable<MethodBase> Methods(Type type) => [.. type.GetMethods(All), .. type.GetConstructors(All)];

    private static bool IsImpure(MemberInfo member) => s_impure.Any(start => Name(member).StartsWith(start, StringComparison.Ordinal));

    private static string Name(MemberInfo member) => member is Type type ? $"{type}" : $"{member.DeclaringType}.{member.Name}";

    /// <summary>The types, methods and fields that a method's code names.</summary>
    private static List<MemberInfo> References(MethodBase method)
    {
        var members = new List<MemberInfo>();
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } code) return members;
        var ofType = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        var ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (var at = 0; at < code.Length;)
        {
            var isLong = code[at] == 0xFE;
            var operation = s_codes[isLong ? (short)((0xFE << 8) | code[at + 1]) : code[at]];
            at += isLong ? 2 : 1;
            if (operation.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
            {
                if (method.Module.ResolveMember(BitConverter.ToInt32(code, at), ofType, ofMethod) is { } member) members.Add(member);
            }

            at += operation.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
                _ => 4,
            };
        }

        return members;
    }
}
