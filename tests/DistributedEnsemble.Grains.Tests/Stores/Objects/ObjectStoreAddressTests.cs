using DistributedEnsemble.Grains.Stores.Objects;

namespace DistributedEnsemble.Grains.Tests.Stores.Objects;

public sealed class ObjectStoreAddressTests
{
    private const string Form = "it takes s3://bucket or s3://bucket/prefix, of lower-case letters, digits, dots and dashes";

    [Theory]
    [InlineData("s3://ensemble", "ensemble", "")]
    [InlineData("s3://ensemble/", "ensemble", "")]
    [InlineData("s3://ensemble/team/runs", "ensemble", "team/runs/")]
    [InlineData("s3://ensemble/runs/", "ensemble", "runs/")]
    public void An_address_names_a_bucket_and_what_all_names_in_it_begin_with(string text, string bucket, string prefix)
    {
        var address = Parse(text);

        Assert.Equal((bucket, prefix), (address.Bucket, address.Prefix));
        Assert.Equal(text.TrimEnd('/'), $"{address}");
        Assert.Equal("Amazon S3 (us-east-1)", address.Server);
    }

    [Theory]
    [InlineData("ensemble")]
    [InlineData("s3://")]
    [InlineData("s3://Ensemble")]
    [InlineData("s3://ensemble/../other")]
    [InlineData("https://ensemble/runs")]
    public void What_is_no_address_is_said_to_be_none(string text)
    {
        var error = Assert.Throws<ObjectStoreAddressException>(() => Parse(text));

        Assert.Equal($"--store is {text}: {Form}.", error.Message);
    }

    [Fact]
    public void An_endpoint_off_this_machine_is_not_spoken_with_in_the_clear_unless_that_is_said()
    {
        var error = Assert.Throws<ObjectStoreAddressException>(() => Parse("s3://ensemble/runs", ("AWS_ENDPOINT_URL", "http://10.0.0.1:9000")));

        Assert.Equal(
            "--store s3://ensemble/runs: its endpoint http://10.0.0.1:9000 is not on this machine, and everybody on the way could read the weights. "
            + "Use an https:// endpoint, or, on a network of the cluster's own, add ?plaintext.",
            error.Message);
        Assert.Equal("http://10.0.0.1:9000", Parse("s3://ensemble/runs?plaintext", ("AWS_ENDPOINT_URL", "http://10.0.0.1:9000")).Server);
        Assert.Equal("http://127.0.0.1:9000", Parse("s3://ensemble/runs", ("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")).Server);
    }

    [Theory]
    [InlineData("AWS_ENDPOINT_URL", "10.0.0.1:9000")]
    [InlineData("AWS_ENDPOINT_URL_S3", "ftp://objects")]
    [InlineData("AWS_ENDPOINT_URL", "https://name:secret@objects")]
    public void An_endpoint_that_is_no_server_is_named_by_its_variable(string variable, string value)
    {
        var error = Assert.Throws<ObjectStoreAddressException>(() => Parse("s3://ensemble/runs", (variable, value)));

        Assert.Equal($"{variable} is not the address of a server: it takes http:// or https://, a host, and a port if need be.", error.Message);
    }

    [Fact]
    public void The_endpoint_of_S3_comes_before_that_of_all_services()
    {
        var address = Parse("s3://ensemble/runs", ("AWS_ENDPOINT_URL", "https://all"), ("AWS_ENDPOINT_URL_S3", "https://objects"), ("AWS_DEFAULT_REGION", "eu-north-1"));

        Assert.Equal(("https://objects", "eu-north-1"), (address.Server, address.Region));
    }

    private static ObjectStoreAddress Parse(string text, params (string Name, string Value)[] environment) =>
        ObjectStoreAddress.Parse(text, "--store", name => environment.FirstOrDefault(variable => variable.Name == name).Value);
}
