using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Training.Networks;

var builder = Host.CreateApplicationBuilder(args);
builder.UseOrleans(silo => silo
    .UseLocalhostClustering()
    .AddEnsembleTraining(options =>
    {
        options.RunsFolder = "runs";
        options.Networks.Add("two-layers", (shape, classes, spec) =>
            [new Flatten(), new Dense(64), new Relu(), new Dense(64), new Relu(), new Dense(classes)]);
    }));
await builder.Build().RunAsync();
