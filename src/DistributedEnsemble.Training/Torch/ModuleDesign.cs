using System.Text.Json.Nodes;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training.Torch;

/// <summary>Makes a network of one's own.</summary>
/// <param name="inputShape">One row's shape: [features] or [channels, height, width].</param>
/// <param name="outputs">Numbers that it gives for each row.</param>
/// <param name="settings">The spec's model.settings; empty without.</param>
/// <returns>A module from [rows, …input shape] to [rows, outputs]. Each thread that needs one asks for its own, of which nothing may be another's.</returns>
public delegate Module<Tensor, Tensor> ModuleDesign(IReadOnlyList<long> inputShape, int outputs, JsonObject settings);
