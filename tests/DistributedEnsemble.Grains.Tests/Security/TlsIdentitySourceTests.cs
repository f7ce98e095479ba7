using DistributedEnsemble.Grains.Security;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace DistributedEnsemble.Grains.Tests.Security;

public sealed class TlsIdentitySourceTests : IDisposable
{
    private readonly Authority _authority = new();
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public void A_renewed_certificate_is_used_within_a_minute()
    {
        var (old, renewed) = (_authority.Silo(), _authority.Silo());
        var source = new TlsIdentitySource(old, accepts: true, _time);
        var before = source.Current(NullLogger.Instance);

        Replace(old, renewed);
        _time.Advance(TimeSpan.FromMinutes(1));

        var after = source.Current(NullLogger.Instance);
        Assert.NotEqual(before.Certificate.Thumbprint, after.Certificate.Thumbprint);
        Assert.Same(after, source.Current(NullLogger.Instance));
    }

    [Fact]
    public void A_renewal_that_cannot_be_used_leaves_the_former_certificate_until_it_can()
    {
        var (old, renewed) = (_authority.Silo(), _authority.Silo());
        var source = new TlsIdentitySource(old, accepts: true, _time);
        var before = source.Current(NullLogger.Instance);

        // The certificate is there already, its key not yet.
        File.Copy(renewed.CertificateFile, old.CertificateFile, overwrite: true);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Same(before, source.Current(NullLogger.Instance));

        Replace(old, renewed);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.NotSame(before, source.Current(NullLogger.Instance));
    }

    private static void Replace(TlsSettings old, TlsSettings renewed)
    {
        File.Copy(renewed.CertificateFile, old.CertificateFile, overwrite: true);
        File.Copy(renewed.KeyFile, old.KeyFile, overwrite: true);
    }
}
