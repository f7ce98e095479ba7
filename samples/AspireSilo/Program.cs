// A silo of an Aspire app. Ports, Redis and the folder of the runs come from the app host.
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores.Redis;
using StackExchange.Redis;

var builder = WebApplication.CreateBuilder(args);
var address = ConfigurationOptions.Parse(builder.Configuration.GetConnectionString("redis")!);
await using var redis = await ConnectionMultiplexer.ConnectAsync(address);
var cluster = await RedisClusterId.TakeAsync(redis);
// The name by which the app host's settings of Orleans call it.
builder.Services.AddKeyedSingleton<IConnectionMultiplexer>("redis", redis);
builder.UseOrleans(silo => silo
    .AddEnsembleTraining(options => options.RunsFolder = builder.Configuration["Runs"]!)
    .UseEnsembleRedis(address, redis, cluster));
var app = builder.Build();
// HTTP begins when the silo has: whoever waits for an answer waits for a silo that takes runs.
app.MapGet("/health", () => "ready");
await app.RunAsync();
