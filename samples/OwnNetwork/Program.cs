using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

var builder = Host.CreateApplicationBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.UseOrleans(silo => silo
    .UseLocalhostClustering()
    .AcceptNoConnections()
    .AddEnsembleTraining(options => options.Networks.AddModule("gated", (shape, outputs, settings) =>
        new Gated(shape.Aggregate(1L, (all, size) => all * size), outputs, (int?)settings["units"] ?? 32, (double?)settings["dropout"] ?? 0))));
using var host = builder.Build();
await host.StartAsync();

var grains = host.Services.GetRequiredService<IGrainFactory>();
var spec = File.ReadAllText(Path.Join(AppContext.BaseDirectory, "spec.json"));
var run = await grains.GetGrain<IScheduler>(IScheduler.Key).SubmitAsync(new Submission(spec));
var status = await grains.GetGrain<ICoordinator>(run.ToString()).WhenAtRestAsync();
Console.WriteLine($"The run is {status.State}, {(status.Exact ? "exact" : "not exact")}{(status.Reason is { } reason ? $": {reason}" : ".")}");
await host.StopAsync();
