using DistributedEnsemble.Grains.Stores.Redis;

namespace DistributedEnsemble.Grains.Tests.Stores;

public sealed class RedisGatewaysTests
{
    [Theory]
    [InlineData("10.1.2.3:11111@154735732", "gwy.tcp://10.1.2.3:30001/154735732")]
    [InlineData("[fd00::1]:11111@7", "gwy.tcp://[fd00::1]:30001/7")]
    public void A_silo_that_lives_has_its_gateway(string address, string gateway) =>
        Assert.Equal(gateway, $"{RedisGateways.GatewayOf($$"""{"SiloAddress":{"SiloAddress":"{{address}}"},"Status":3,"SuspectTimes":[],"ProxyPort":30001,"HostName":"vm","UpdateZone":0}""")}");

    [Theory]
    [InlineData("""{"SiloAddress":{"SiloAddress":"10.1.2.3:11111@7"},"Status":6,"ProxyPort":30001}""")]
    [InlineData("""{"SiloAddress":{"SiloAddress":"10.1.2.3:11111@7"},"Status":3,"ProxyPort":0}""")]
    [InlineData("""{"SiloAddress":{"SiloAddress":"10.1.2.3:11111@7"},"Status":3,"ProxyPort":70000}""")]
    [InlineData("""{"SiloAddress":{"SiloAddress":"nowhere"},"Status":3,"ProxyPort":30001}""")]
    [InlineData("""{"SiloAddress":{"SiloAddress":""},"Status":3,"ProxyPort":30001}""")]
    [InlineData("""{"SiloAddress":{"SiloAddress":"10.1.2.3:99999999999@x"},"Status":3,"ProxyPort":30001}""")]
    [InlineData("""{"SiloAddress":null,"Status":3,"ProxyPort":30001}""")]
    [InlineData("4")]
    [InlineData("x")]
    [InlineData("null")]
    [InlineData(null)]
    public void Every_other_row_has_none_and_keeps_nobody_from_the_rest(string? row) => Assert.Null(RedisGateways.GatewayOf(row));
}
