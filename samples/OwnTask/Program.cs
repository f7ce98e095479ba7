using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Tasks;

var builder = Host.CreateApplicationBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.UseOrleans(silo => silo
    .UseLocalhostClustering()
    .AcceptNoConnections()
    .AddEnsembleTraining(options =>
    {
        options.Datasets.Add(new Waves());
        TaskRegistry.Add<Laplace>("laplace");
        options.Networks.Add("squares", (shape, outputs, spec) => [new Dense(48), new Relu(), new SignedSquare(), new Dense(outputs)]);
    }));
using var host = builder.Build();
await host.StartAsync();

var grains = host.Services.GetRequiredService<IGrainFactory>();
var spec = File.ReadAllText(Path.Join(AppContext.BaseDirectory, "spec.json"));
var run = await grains.GetGrain<IScheduler>(IScheduler.Key).SubmitAsync(new Submission(spec));
var status = await grains.GetGrain<ICoordinator>(run.ToString()).WhenAtRestAsync();
var report = await grains.GetGrain<IAggregator>(run.ToString()).EvaluateAsync(new EvaluationRequest());
Console.WriteLine($"The run is {status.State}, {(status.Exact ? "exact" : "not exact")}; its task is {report.Task}{(status.Reason is { } reason ? $": {reason}" : ".")}");
await host.StopAsync();
