using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Safetensors;

namespace DistributedEnsemble.Training.Verification;

/// <summary>
/// What a run is made of and came to, signed by whoever vouches for it: manifest.json, and manifest.sig, an ECDSA signature of its
/// bytes with SHA-256, as <c>openssl dgst -sha256 -verify</c> reads it.
/// </summary>
/// <param name="SpecSha256">Of spec.json.</param>
/// <param name="DescriptionSha256">Of data.json.</param>
/// <param name="DataSha256">Of the data that data.json describes.</param>
/// <param name="Code">The version of the program that signs.</param>
/// <param name="Machine">Where the weights were computed, and by which kernels.</param>
internal sealed record RunManifest(
    int Format, string Run, Guid Id, string SpecSha256, string DescriptionSha256, string DataSha256, string Code, MachineInfo? Machine,
    ImmutableArray<WeightFile> Snapshots, ImmutableArray<WeightFile> Ema)
{
    /// <summary>The step of each member's final model, null for one that failed; null in what was signed by an earlier version.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<int?>? FinalSteps { get; init; }

    public const string File = "manifest.json", SignatureFile = "manifest.sig";

    private const int CurrentFormat = 1;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes and signs the manifest of a run's folder.</summary>
    /// <param name="key">A file with a private key.</param>
    /// <exception cref="SpecException">The run has not ended, or the key is none.</exception>
    public static RunManifest Sign(RunFolder folder, RunStatus status, string key)
    {
        if (!status.HasEnded) throw new SpecException($"Run \"{status.Run}\" is {status.State.ToString().ToLowerInvariant()}: what it comes to is not known yet.");
        using var private_ = SigningKey.Read(key, isPrivate: true);
        var manifest = Of(folder, status);
        foreach (var file in manifest.Snapshots.Concat(manifest.Ema)) SafetensorsReader.Open(folder, file).Dispose();
        var bytes = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(manifest, s_json) + "\n");
        var signature = private_.SignData(bytes, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        folder.Write(File, bytes);
        folder.Write(SignatureFile, signature);
        return manifest;
    }

    /// <summary>Makes sure that a run's folder is what was signed: spec, data's description, record, and each file of weights.</summary>
    /// <param name="key">A file with the public key, or the private one.</param>
    /// <exception cref="VerificationException">It is not; the message says what differs first.</exception>
    /// <exception cref="SpecException">The run is not signed, or the key is none.</exception>
    public static RunManifest Verify(RunFolder folder, RunStatus status, string key)
    {
        using var public_ = SigningKey.Read(key, isPrivate: false);
        var (bytes, signature) = (Read(folder, File), Read(folder, SignatureFile));
        if (!public_.VerifyData(bytes, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence))
            throw new VerificationException($"{folder.Path(File)} was not signed with the key of {key}, or has changed since.");
        var signed = Parse(bytes) ?? throw new VerificationException($"{folder.Path(File)} was signed with the key of {key}, and is no manifest of a run.");
        if (signed.Format != CurrentFormat) throw new VerificationException($"{folder.Path(File)} is of format {signed.Format}, and this version reads {CurrentFormat}.");
        var found = Of(folder, status);
        Compare("run", (signed.Run, signed.Id), (found.Run, found.Id));
        Compare("spec.json", signed.SpecSha256, found.SpecSha256);
        Compare("data.json", signed.DescriptionSha256, found.DescriptionSha256);
        Compare("data", signed.DataSha256, found.DataSha256);
        Compare("snapshots", signed.Snapshots, found.Snapshots);
        Compare("EMA models", signed.Ema, found.Ema);
        if (signed.FinalSteps is { } final && InWords(final) is var steps && InWords(found.FinalSteps!.Value) is var other && steps != other)
            throw new VerificationException($"The final models are not those that were signed: of steps {other} instead of {steps}.");
        foreach (var file in signed.Snapshots.Concat(signed.Ema)) SafetensorsReader.Open(folder, file).Dispose();
        return signed;
    }

    private static RunManifest Of(RunFolder folder, RunStatus status)
    {
        var description = RunDescription.Read(folder);
        var code = typeof(RunManifest).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        return new RunManifest(
            CurrentFormat, status.Run, status.Id, Sha256(folder, RunFolder.SpecFile), Sha256(folder, RunFolder.DataFile), description.Data.Sha256, code, status.Machine,
            status.Snapshots, status.Ema)
        {
            FinalSteps = [.. status.Members.Select(member => member.FinalStep)],
        };
    }

    private static string InWords(ImmutableArray<int?> steps) => string.Join(", ", steps.Select(step => step?.ToString(CultureInfo.InvariantCulture) ?? "none"));

    /// <returns>Null for what is none: a key may have signed something else.</returns>
    private static RunManifest? Parse(byte[] signed)
    {
        try
        {
            return JsonSerializer.Deserialize<RunManifest>(signed, s_json) is { Snapshots.IsDefault: false, Ema.IsDefault: false } manifest ? manifest : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Sha256(RunFolder folder, string name)
    {
        using var file = folder.OpenRead(name);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private static byte[] Read(RunFolder folder, string name)
    {
        try
        {
            return folder.ReadAllBytes(name);
        }
        catch (FileNotFoundException)
        {
            throw new SpecException($"Run \"{folder.Name}\" is not signed: {folder.Path(name)} is missing.");
        }
    }

    private static void Compare<T>(string what, T signed, T found)
    {
        if (!EqualityComparer<T>.Default.Equals(signed, found)) throw new VerificationException($"The {what} is not what was signed: {found} instead of {signed}.");
    }

    private static void Compare(string what, ImmutableArray<WeightFile> signed, ImmutableArray<WeightFile> found)
    {
        foreach (var (one, other) in signed.Zip(found))
        {
            if (one != other) throw new VerificationException($"The {what} are not those that were signed: {other.File} ({other.Sha256}) instead of {one.File} ({one.Sha256}).");
        }

        if (signed.Length != found.Length) throw new VerificationException($"The {what} are not those that were signed: {found.Length} instead of {signed.Length}.");
    }
}

/// <summary>ECDSA keys on the curve P-256, as PEM files.</summary>
internal static class SigningKey
{
    private const string Make = "make one with `openssl ecparam -name prime256v1 -genkey -noout -out key.pem`";

    /// <exception cref="SpecException">The file has no such key.</exception>
    public static ECDsa Read(string path, bool isPrivate)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(path));
            var parameters = key.ExportParameters(isPrivate);
            if (parameters.Curve.Oid.FriendlyName is "nistP256" or "ECDSA_P256" || parameters.Curve.Oid.Value == "1.2.840.10045.3.1.7") return key;
            throw new SpecException($"The key of {path} is on another curve than P-256: {Make}.");
        }
        catch (Exception exception)
        {
            key.Dispose();
            throw exception switch
            {
                SpecException => exception,
                UnauthorizedAccessException when Directory.Exists(path) => new SpecException($"{path} is a folder: a key is a file, in PEM."),
                FileNotFoundException or DirectoryNotFoundException => new SpecException($"There is no key {path}: {Make}."),
                ArgumentException or CryptographicException => new SpecException($"{path} is no {(isPrivate ? "private" : "public")} ECDSA key in PEM: {Make}."),
                _ => exception,
            };
        }
    }
}
