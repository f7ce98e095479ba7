// A cluster as an Aspire app: Redis, two silos, and the driver, which trains when it is started in the dashboard (--train now: at once).
// Redis is a container; with `dotnet run -- --redis local` it is the redis-server of this machine.
var builder = DistributedApplication.CreateBuilder(args);
var folder = Path.GetFullPath(builder.Configuration["folder"] ?? builder.AppHostDirectory);
// What the cluster was told is durable must be on disk.
IResourceBuilder<IResourceWithConnectionString> redis = builder.Configuration["redis"] == "local"
    ? builder.AddLocalRedis("redis", Path.Combine(folder, "redis"))
    : builder.AddRedis("redis").WithDataVolume().WithArgs(redis => redis.Args[^1] = $"{redis.Args[^1]} --appendonly yes --appendfsync always");
var ensemble = builder.AddOrleans("ensemble").WithClustering(redis);
var silos = builder.AddProject<Projects.AspireSilo>("silo").WithReplicas(2).WithReference(ensemble).WaitFor(redis)
    .WithHttpEndpoint().WithHttpHealthCheck("/health").WithEnvironment("Runs", Path.Combine(folder, "runs"));
// Whoever reaches a silo can do anything. On this machine nobody else does; elsewhere silos need UseMutualTls.
if (builder.ExecutionContext.IsRunMode) silos.WithEnvironment("Orleans__Endpoints__AdvertisedIPAddress", "127.0.0.1");
var driver = builder.AddProject<Projects.DistributedEnsemble_Client>("driver").WaitFor(silos)
    .WithArgs("train", "--name", "aspire", "--members", builder.Configuration["members"] ?? "10")
    .WithEnvironment("ENSEMBLE__CLUSTER", redis.Resource.GetConnectionProperty("Uri"));
if (builder.Configuration["train"] != "now") driver.WithExplicitStart();
builder.Build().Run();
