using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Exports.Onnx;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Regularization;
using DistributedEnsemble.Training.Tables;
using DistributedEnsemble.Training.Tasks;
using DistributedEnsemble.Training.Tests.Tables;
using DistributedEnsemble.Training.Torch;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace DistributedEnsemble.Training.Tests.Exports.Onnx;

/// <summary>Laws of the ONNX file: OnnxRuntime predicts with it what is predicted here, within 1e-5.</summary>
public sealed class OnnxTests
{
    private const double Tolerance = 1e-5;

    private static readonly int[] s_rows = [1, 7, 1000];

    /// <summary>Every kind of column: the names of two are those of outputs, too.</summary>
    private static readonly string s_table = TextTables.Rows(
        "mean,unix,label,day,clock,colour,place,flag,size", i => FormattableString.Invariant(
            $"{(i % 9 == 4 ? "" : i * 7 % 31 / 3.0)},{1.7e9 + (i * 7 % 400)},{i * 5 % 17},{new DateTime(2019, 12, 30).AddHours(i * 37):yyyy-MM-dd HH:mm},{i * 7 % 24}:{i * 11 % 60:00}:00,{(i % 13 == 2 ? "NA" : i % 37 == 36 ? $"rare{i}" : "c" + (i % 5))},p{i * 13 % 29},{(i % 3 == 0 ? "TRUE" : "FALSE")},{i * 3 % 23 + (i % 5)}"), 400);

    [Theory]
    [InlineData("""{ "kind": "mlp", "hidden": [19, 13] }""", "inverted")]
    [InlineData("""{ "kind": "mlp", "hidden": [19, 13] }""", "vanilla")]
    [InlineData("""{ "kind": "tabm", "hidden": [19, 13], "submodels": 3 }""", "vanilla")]
    [InlineData("""{ "kind": "lenet" }""", "vanilla")]
    [InlineData("""{ "kind": "resnet", "depth": 8, "width": 3 }""", "vanilla")]
    public void Every_network_answers_to_pixels_as_it_does_here(string model, string dropout)
    {
        using var models = new OnnxModels(Plans.Of(
            $$"""
            {
              "seed": 7, "members": 2, "data": { "dataset": "digits" }, "model": {{model}}, "training": { "epochs": 1, "batchSize": 100, "schedule": { "learningRate": 0.05 } },
              "regularization": { "dropout": { "rate": 0.3, "inputRate": 0.1, "kind": "{{dropout}}" } }
            }
            """));
        foreach (var rows in s_rows)
        {
            var random = new Random(rows);
            float[] pixels = [.. Enumerable.Range(0, rows * 64).Select(_ => (float)random.Next(17))];
            Compare(models, pixels, [NamedOnnxValue.CreateFromTensor("input", new DenseTensor<float>(pixels, [rows, 1, 8, 8]))]);
        }
    }

    [Theory]
    [InlineData("two-moons", "gaussian")]
    [InlineData("waves", "gaussian")]
    [InlineData("waves", "squared-error")]
    [InlineData("waves", "gaussian", """, "variants": [{ "data": { "columns": 0.5 } }, { "model": { "hidden": [5, 4] } }]""")]
    public void Plain_numbers_are_classified_and_measured_as_here(string dataset, string likelihood, string more = "")
    {
        using var models = new OnnxModels(Plans.Of(
            $$"""
            {
              "seed": 7, "members": 2, "data": { "dataset": "{{dataset}}" }, "model": { "kind": "mlp", "hidden": [12] },
              "training": { "epochs": 9, "batchSize": 60, "likelihood": "{{likelihood}}", "schedule": { "learningRate": 0.02 } }{{more}}
            }
            """));
        foreach (var rows in s_rows)
        {
            var random = new Random(rows);
            float[] numbers = [.. Enumerable.Range(0, rows * 2).Select(_ => (float)random.NextDouble())];
            Compare(models, numbers, [NamedOnnxValue.CreateFromTensor("input", new DenseTensor<float>(numbers, [rows, 2]))]);
        }
    }

    [Theory]
    [InlineData("place", null)]
    [InlineData("size", "regression")]
    public void Every_kind_of_column_is_taken_raw_with_missing_cells_and_levels_that_no_training_row_has(string target, string? task)
    {
        using var models = Of(s_table, target, task);
        foreach (var rows in s_rows) Compare(models, OnnxRows.Of(models.Data, rows, rows));

        Assert.Equal(8, models.Inputs.Count);
        // An answer has the column's name already.
        Assert.Contains(models.Inputs.Keys, name => name == (task is null ? "label (column)" : "mean (column)"));
        Assert.Contains(models.Inputs.Keys, name => name == (task is null ? "mean" : "label"));
    }

    [Theory]
    [InlineData(MixedSpecs.Class)]
    [InlineData("number")]
    [InlineData("class by submodels")]
    [InlineData("number by submodels")]
    public void Levels_that_are_vectors_and_missing_levels_are_taken_raw(string json)
    {
        using var models = new OnnxModels(Plans.Of(json switch
        {
            "number" => MixedSpecs.Number, "class by submodels" => MixedSpecs.TabMClass, "number by submodels" => MixedSpecs.TabMNumber, _ => json,
        }));
        foreach (var rows in s_rows) Compare(models, OnnxRows.Of(models.Data, rows));
    }

    [Fact]
    public void A_table_of_numbers_is_one_matrix_in_double_that_keeps_the_seconds_of_a_unix_time()
    {
        using var models = Of(TextTables.Rows("a,unix,b,target", i => FormattableString.Invariant($"{i % 7},{1.7e9 + (i * 7 % 200)},{(i % 5 == 3 ? "" : i * 3 % 11)},{i * 5 % 3}"), 200), "target", null);
        foreach (var rows in s_rows) Compare(models, OnnxRows.Of(models.Data, rows));

        Assert.Equal(("input", typeof(double)), models.Inputs.Select(input => (input.Key, input.Value.ElementType)).Single());
    }

    /// <summary>Files of tables have infinities where something was divided by zero, and pandas hands them on as numbers.</summary>
    [Theory]
    [InlineData("place")]
    [InlineData("")]
    public void Infinities_are_missing_cells(string target)
    {
        using var models = target.Length > 0 ? Of(s_table, target, null)
            : Of(TextTables.Rows("a,b,target", i => FormattableString.Invariant($"{i % 7},{(i % 5 == 3 ? "" : i * 3 % 11)},{i * 5 % 3}"), 200), "target", null);
        var columns = OnnxRows.Of(models.Data, 60);

        var expected = models.Run(models.Values(columns));
        var answers = models.Run(models.Values(columns).Select(Infinite));

        Assert.All(expected, output => Assert.Equal(output.Value, answers[output.Key]));
        Assert.DoesNotContain(float.NaN, (float[])answers["probabilities"]);

        static NamedOnnxValue Infinite(NamedOnnxValue value)
        {
            if (value.Value is not DenseTensor<double> numbers) return value;
            for (var i = 0; i < numbers.Length; i++) if (double.IsNaN(numbers.GetValue(i))) numbers.SetValue(i, i % 2 == 0 ? double.NegativeInfinity : double.PositiveInfinity);
            return value;
        }
    }

    [Fact]
    public void Every_day_of_eight_centuries_and_every_hour_has_its_parts()
    {
        var start = new DateTime(1599, 12, 25);
        DateTime[] times = [.. Enumerable.Range(0, 293_000).Select(day => start.AddDays(day).AddSeconds(day * 7919L % 86400))];
        var graph = new OnnxGraph("calendar");
        string[] parts = ["year", "month", "weekday", "hour"];
        graph.Reserve(parts);
        var calendar = new OnnxCalendar(graph, graph.Input("seconds", global::Onnx.TensorProto.Types.DataType.Double, "", 1));
        foreach (var part in parts) graph.Output(part, calendar.Part(part), global::Onnx.TensorProto.Types.DataType.Double, "", 1);
        using var session = new InferenceSession(OnnxEnsemble.Model(graph, TestTasks.Classes(2)).ToByteArray());

        using var outputs = session.Run([NamedOnnxValue.CreateFromTensor(
            "seconds", new DenseTensor<double>(times.Select(time => (time - DateTime.UnixEpoch).TotalSeconds).ToArray(), [times.Length, 1]))]);

        foreach (var (part, of) in DateParts.All)
            Assert.Equal(times.Select(time => (double)of(time)), outputs.Single(output => output.Name == part).AsEnumerable<double>());
    }

    [Fact]
    public void The_same_models_give_the_same_bytes()
    {
        using var models = new OnnxModels(Plans.Of(MixedSpecs.Class), steps: 1);

        Assert.Equal(models.Bytes, models.Write());
    }

    [Fact]
    public void Every_layer_but_modules_of_the_hosts_own_has_its_nodes()
    {
        // A layer that is added comes here, and into the exporter.
        Type[] tried = [typeof(Flatten), typeof(Dense), typeof(Relu), typeof(Dropout), typeof(Convolution), typeof(MaxPool), typeof(PadImage), typeof(ChannelMean), typeof(BatchNorm), typeof(Residual), typeof(Embedding), typeof(SelectInputs), typeof(PiecewiseLinear), typeof(AdaptedDense), typeof(SeparateDense)];

        Assert.Equal(
            [typeof(ModuleLayer)],
            typeof(Layer).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Layer)) && !type.IsAbstract).Except(tried));
    }

    [Fact]
    public void A_layer_of_the_hosts_own_is_named_in_one_line()
    {
        var exception = Assert.Throws<SpecException>(() => Graph(new Network([4], [new Dense(3), new Doubled(), new Dense(2)])));

        Assert.Equal("The layer Doubled is the host's own: ONNX knows nothing of it. Export this run as safetensors.", exception.Message);
    }

    [Fact]
    public void A_module_of_ones_own_is_named_in_one_line()
    {
        var networks = new NetworkRegistry();
        networks.AddModule("mine", (shape, outputs, _) => TorchSharp.torch.nn.Linear(shape[0], outputs));
        var spec = Plans.Spec("""{ "data": { "dataset": "two-moons" } }""");

        var exception = Assert.Throws<SpecException>(() => Graph(networks.Build(spec with { Model = spec.Model with { Kind = "mine" } }, [2], 2)));

        Assert.Equal("The layer of model.kind \"mine\" is a module of the host's own: ONNX knows nothing of it. Export this run as safetensors.", exception.Message);
    }

    private static void Graph(Network network)
    {
        using var weights = new Weights(network.Layout);
        new OnnxNetwork(new OnnxGraph("test"), new OnnxModel("", network, weights, 1)).Outputs("input");
    }

    private static OnnxModels Of(string table, string target, string? task)
    {
        var json = $$"""
            {
              "seed": 3, "members": 2, "data": { "dataset": "rows.csv", "target": "{{target}}"{{(task is null ? "" : $", \"task\": \"{task}\"")}} }, "model": { "kind": "mlp", "hidden": [16] },
              "training": { "epochs": 5, "batchSize": 40, "schedule": { "learningRate": 0.02 } }
            }
            """;
        var spec = SpecDocument.Parse(json).Resolve(TableDefaults.For(400));
        return new OnnxModels(new TrainingPlan(spec, TextTables.Load(table, spec.Data), new NetworkRegistry()));
    }

    private static void Compare(OnnxModels models, RowColumn[] columns) => Compare(models, ClientRows.Encode(models.Data, [.. columns]).AsSpan(), models.Values(columns));

    private static void Compare(OnnxModels models, ReadOnlySpan<float> raw, IEnumerable<NamedOnnxValue> inputs)
    {
        var theirs = models.Run(inputs);
        Compare(models.Predict(raw), name => theirs.GetValueOrDefault(name));
        Compare(models.Predict(raw, isCalibrated: true), name => theirs.GetValueOrDefault($"calibrated_{name}"));
        Assert.True(theirs.ContainsKey("label") ? theirs.Count == 6 : theirs.Count == 7, string.Join(", ", theirs.Keys));

        void Compare(IReadOnlyList<OutputValues> ours, Func<string, Array?> output)
        {
            foreach (var values in ours)
            {
                if (output(values.Name) is string[] texts) Assert.Equal(values.Texts, texts);
                else if (output(values.Name) is float[] numbers) AssertClose(values.Name, values.Numbers.AsSpan(), numbers, models.Task is Regression regression ? Math.Max(regression.Deviation, Math.Abs(regression.Mean)) : 1);
            }
        }
    }

    private static void AssertClose(string name, ReadOnlySpan<float> ours, float[] theirs, double unit)
    {
        Assert.Equal(ours.Length, theirs.Length);
        for (var i = 0; i < theirs.Length; i++)
            Assert.True(Math.Abs(ours[i] - theirs[i]) <= Tolerance * unit, $"{name}, number {i}: {theirs[i]} in OnnxRuntime, and {ours[i]} here.");
    }

    /// <summary>A layer that no exporter can know.</summary>
    private sealed record Doubled : Layer
    {
        public override Function Build(NetworkBuilder builder) => (_, inputs, _) => inputs * 2;
    }
}
