using DistributedEnsemble.Randomness;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Networks;

public sealed class TabMTests
{
    private const int Rows = 9, Features = 5, Outputs = 3;

    private static readonly Classification s_task = new(["a", "b", "c"]);

    [Fact]
    public void It_has_shared_weights_with_adapters_and_an_output_layer_for_each_submodel()
    {
        var network = TabM([12, 8], submodels: 4);

        Assert.Equal(
            [
                "layers.0.weight [12, 5]", "layers.0.inputs [4, 5]", "layers.0.outputs [4, 12]", "layers.0.bias [4, 12]",
                "layers.1.weight [8, 12]", "layers.1.inputs [4, 12]", "layers.1.outputs [4, 8]", "layers.1.bias [4, 8]",
                "layers.2.weight [4, 3, 8]", "layers.2.bias [4, 3]",
            ],
            network.Layout.Tensors.Select(tensor => $"{tensor.Name} [{string.Join(", ", tensor.Shape)}]"));
        Assert.Equal(4, network.Submodels);
        Assert.Equal([4, 3], network.OutputShape);
        Assert.Equal(["layers.0.weight", "layers.1.weight", "layers.2.weight"], network.Layout.Tensors.Where(tensor => tensor.IsDecayed).Select(tensor => tensor.Name));
    }

    [Fact]
    public void Submodels_differ_at_first_by_the_signs_of_their_inputs()
    {
        var network = TabM([12, 8], submodels: 4);
        using var weights = Weights.Initialize(network.Layout, new RandomSource(1), 0);

        Assert.Equal([-1f, 1f], Values(weights, 1).Distinct().Order());
        Assert.Equal([1f], Values(weights, 2).Concat(Values(weights, 5)).Concat(Values(weights, 6)).Distinct());
    }

    [Theory]
    [InlineData(1, KernelKind.Own)]
    [InlineData(4, KernelKind.Own)]
    [InlineData(4, KernelKind.Libtorch)]
    public void With_adapters_of_ones_and_equal_heads_it_is_one_mlp(int submodels, KernelKind kernels)
    {
        var (tabm, mlp) = (TabM([12, 8], submodels, kernels), Build("mlp", [12, 8], null, kernels));
        using var single = Weights.Initialize(mlp.Layout, new RandomSource(5), 0);
        using var shared = AsMlp(tabm, single);
        var inputs = Inputs();
        single.Train();
        shared.Train();

        var expected = Answers(mlp, single, inputs);
        var answers = Answers(tabm, shared, inputs);

        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], answers[i], 1e-6);
        var (ofMlp, ofTabM) = (Gradient(mlp, single, inputs), Gradient(tabm, shared, inputs));
        Assert.Equal(ofMlp.Loss, ofTabM.Loss, 1e-6);
        // The shared weights get what one network's would; what each submodel has of its own gets a share of it.
        for (var layer = 0; layer < 3; layer++)
        {
            AssertNear(ofMlp.Slopes(2 * layer), layer < 2 ? ofTabM.Slopes(4 * layer) : Sum(ofTabM.Slopes(8), submodels));
            AssertNear(ofMlp.Slopes(2 * layer + 1), Sum(ofTabM.Slopes(layer < 2 ? 4 * layer + 3 : 9), submodels));
        }
    }

    [Fact]
    public void A_prediction_is_the_mean_of_the_submodels_predictions_and_the_loss_the_mean_of_their_losses()
    {
        var network = TabM([7], submodels: 3);
        using var weights = Weights.Initialize(network.Layout, new RandomSource(5), 0);
        using var function = network.CreateFunction(Rows, isTrained: false);
        var inputs = Inputs();
        weights.Train();
        inputs.CopyTo(function.Inputs);
        var outputs = function.Forward(weights, Rows, Noise.None).ToArray();

        var mean = new AnswerMean();
        double[] losses = new double[3];
        for (var submodel = 0; submodel < 3; submodel++)
        {
            float[] own = [.. outputs.Chunk(Outputs).Where((_, i) => i % 3 == submodel).SelectMany(row => row)];
            var answers = new double[Rows * s_task.Width];
            s_task.Answer(own, answers);
            mean.Add(answers);
            losses[submodel] = s_task.Loss(own, Targets(1), new float[own.Length]);
        }

        Assert.Equal(mean.ToArray(), Answers(network, weights, inputs));
        Assert.Equal(losses.Average(), Gradient(network, weights, inputs).Loss, 1e-12);
    }

    private static Network TabM(int[] hidden, int submodels, KernelKind kernels = KernelKind.Own) => Build("tabm", hidden, submodels, kernels);

    private static Network Build(string kind, int[] hidden, int? submodels, KernelKind kernels) => new NetworkRegistry().Build(
        new EnsembleSpec { Model = new ModelSpec { Kind = kind, Hidden = [.. hidden], Submodels = submodels }, Training = new TrainingSpec { Kernels = kernels } },
        [Features], Outputs);

    /// <summary>Weights of submodels that are all one mlp.</summary>
    private static Weights AsMlp(Network tabm, Weights mlp)
    {
        var weights = Weights.Initialize(tabm.Layout, new RandomSource(6), 0);
        foreach (var (place, i) in tabm.Layout.Tensors.Select((place, i) => (place, i)))
        {
            var values = weights.Values(place);
            var (layer, name) = (place.Layer, place.Name.Split('.')[^1]);
            if (name is "inputs" or "outputs")
            {
                values.Fill(1);
                continue;
            }

            var source = mlp.Values(mlp.Layout.Tensors[2 * layer + (name == "bias" ? 1 : 0)]);
            for (; !values.IsEmpty; values = values[source.Length..]) source.CopyTo(values);
        }

        return weights;
    }

    private static double[] Answers(Network network, Weights weights, float[] inputs)
    {
        var answers = new double[Rows * s_task.Width];
        new SingleModel(network, s_task, weights).Answer(inputs, answers);
        return answers;
    }

    private static (double Loss, Func<int, float[]> Slopes) Gradient(Network network, Weights weights, float[] inputs)
    {
        using var function = network.CreateFunction(Rows, isTrained: true);
        inputs.CopyTo(function.Inputs);
        var outputs = function.Forward(weights, Rows, Noise.None).ToArray();
        var slopes = new float[outputs.Length];
        var loss = s_task.Loss(outputs, Targets(network.Submodels), slopes);
        function.Backward(weights, slopes);
        var gradient = weights.Gradient!.ToArray();
        return (loss, tensor => gradient[network.Layout.Tensors[tensor].Offset..(network.Layout.Tensors[tensor].Offset + network.Layout.Tensors[tensor].Length)]);
    }

    private static float[] Sum(float[] values, int parts) =>
        [.. Enumerable.Range(0, values.Length / parts).Select(i => Enumerable.Range(0, parts).Sum(part => values[part * (values.Length / parts) + i]))];

    private static float[] Inputs()
    {
        var inputs = new float[Rows * Features];
        new RandomSource(2).Uniform(new Draw(Purpose.DataSplit, 0, 0, 0), inputs);
        return inputs;
    }

    private static float[] Targets(int submodels) => [.. Enumerable.Range(0, Rows * submodels).Select(i => (float)(i / submodels % Outputs))];

    private static float[] Values(Weights weights, int tensor) => weights.Values(weights.Layout.Tensors[tensor]).ToArray();

    private static void AssertNear(float[] expected, float[] found)
    {
        Assert.Equal(expected.Length, found.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found[i], 1e-6f);
    }
}
