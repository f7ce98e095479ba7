using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DistributedEnsemble.Specs;
using static TorchSharp.torch;
using TorchDropout = TorchSharp.Modules.Dropout;

namespace DistributedEnsemble.Training.Torch;

/// <summary>What can be seen of a design by two modules that it makes, before either computes anything.</summary>
/// <param name="refused">Makes the error of a reason.</param>
internal sealed class ModuleCheck(Func<string, SpecException> refused)
{
    /// <exception cref="SpecException">They cannot be trained.</exception>
    public void Require(OwnModule module, OwnModule other)
    {
        if (module.Parameters.Length == 0) throw refused("its module has no parameters: there is nothing to train");
        if (module.Parameters.Any(parameter => parameter.Tensor.dtype != ScalarType.Float32)) throw refused("its module has parameters that are not float32");
        if (!module.Parameters.Any(parameter => parameter.Tensor.requires_grad)) throw refused("none of its module's parameters needs a gradient: there is nothing to train");
        RequireDropouts(module);
        RequireSame(module.Parts, other);
        if (Shared(module, other) is { } shared) throw refused($"its design gives {shared} to more than one module: each thread trains in a module of its own. Make all of it anew each time");
    }

    /// <exception cref="SpecException">A module has other parts than the first of its design.</exception>
    public void RequireSame(IEnumerable<string> parts, OwnModule other)
    {
        if (parts.SequenceEqual(other.Parts)) return;
        var (expected, found) = parts.Concat(["no more"]).Zip(other.Parts.Concat(["no more"])).First(pair => pair.First != pair.Second);
        throw refused($"its design does not make the same module each time: where one has {expected}, the next has {found}");
    }

    private void RequireDropouts(OwnModule module)
    {
        foreach (var part in module.Module.modules().Append(module.Module))
        {
            if (part is TorchDropout || !part.GetType().Name.Contains("Dropout", StringComparison.Ordinal) || part.parameters().Any()) continue;
            throw refused($"its module has {part.GetType().Name}, whose masks come from torch's one generator and can not be drawn again. Take nn.Dropout, or leave it out");
        }

        if (module.Dropouts.FirstOrDefault(entry => entry.Module.p >= 1) is { Name: { } all })
            throw refused($"its module's dropout {all} drops everything: its p must be below 1");
    }

    private static string? Shared(OwnModule module, OwnModule other)
    {
        var places = other.Parameters.Concat(other.Buffers).Select(entry => PlaceOf(entry.Tensor)).ToHashSet();
        return module.Parameters.Select(entry => (Kind: "parameter", entry.Name, entry.Tensor)).Concat(module.Buffers.Select(entry => (Kind: "buffer", entry.Name, entry.Tensor)))
            .Where(entry => entry.Tensor.numel() > 0 && places.Contains(PlaceOf(entry.Tensor))).Select(entry => $"the {entry.Kind} {entry.Name}").FirstOrDefault();
    }

    /// <summary>Where its numbers lie.</summary>
    private static unsafe nint PlaceOf(Tensor tensor) =>
        tensor.is_contiguous() ? (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.detach().bytes)) : tensor.Handle;
}
