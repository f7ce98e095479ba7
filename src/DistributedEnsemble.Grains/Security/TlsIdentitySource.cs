using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Security;

/// <summary>
/// The identity that the files hold now: a renewed certificate serves the next connection, without a restart. Renewed files
/// that cannot be used leave the former identity in place.
/// </summary>
internal sealed class TlsIdentitySource(TlsSettings settings, bool accepts, TimeProvider time)
{
    private static readonly TimeSpan CheckEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private TlsIdentity _identity = TlsIdentity.Load(settings, accepts);
    private string _fingerprint = Fingerprint(settings);
    private long _checked = time.GetTimestamp();

    public TlsSettings Settings => settings;

    public TlsIdentity Current(ILogger log)
    {
        lock (_gate)
        {
            if (time.GetElapsedTime(_checked) < CheckEvery) return _identity;
            _checked = time.GetTimestamp();
            try
            {
                var fingerprint = Fingerprint(settings);
                if (fingerprint == _fingerprint) return _identity;
                _identity = TlsIdentity.Load(settings, accepts);
                _fingerprint = fingerprint;
                log.CertificateRenewed(settings.CertificateFile, _identity.Certificate.NotAfter);
            }
            catch (Exception e) when (e is TlsException or IOException or UnauthorizedAccessException)
            {
                log.CertificateNotRenewed(e.Message);
            }
            return _identity;
        }
    }

    private static string Fingerprint(TlsSettings settings) =>
        string.Concat(File.ReadAllText(settings.CertificateFile), File.ReadAllText(settings.KeyFile), File.ReadAllText(settings.AuthorityFile));
}
