// A silo of an Aspire app. Ports, Redis and the folder of the runs come from the app host.
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores.Redis;
using StackExchange.Redis;

var builder = Host.CreateApplicationBuilder(args);
var address = ConfigurationOptions.Parse(builder.Configuration.GetConnectionString("redis")!);
await using var redis = await ConnectionMultiplexer.ConnectAsync(address);
var cluster = await RedisClusterId.TakeAsync(redis);
// The name by which the app host's settings of Orleans call it.
builder.Services.AddKeyedSingleton<IConnectionMultiplexer>("redis", redis);
builder.UseOrleans(silo => silo
    .AddEnsembleTraining(options => options.RunsFolder = builder.Configuration["Runs"]!)
    .UseEnsembleRedis(address, redis, cluster));
await builder.Build().RunAsync();
