using DistributedEnsemble.Client.Failures;
using System.CommandLine;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Serving.Processes;
using DistributedEnsemble.Training.Verification;

namespace DistributedEnsemble.Client.Commands;

internal sealed class SignCommand : DriverCommand
{
    public SignCommand(Backend backend, SharedOptions shared, Consoles consoles, Func<Interruption> listen)
        : base(
            "sign", "Signs what a run came to: spec, data, version of the program, and each file of weights.",
            "openssl ecparam -name prime256v1 -genkey -noout -out key.pem", "ensemble sign digits-1 --key key.pem")
    {
        var run = new NamedRun(shared);
        var key = new Option<string?>("--key") { Description = "A file with a private ECDSA key on P-256, in PEM.", HelpName = "key.pem" };
        Add(run.Argument);
        Add(key);
        SetAction((parsed, _) => Stoppable.RunAsync(listen, consoles, "Stopped before the run was signed.", cancellation =>
        {
            var path = parsed.GetValue(key) ?? throw new UsageException(
                "--key is missing: it takes a file with a private ECDSA key on P-256, in PEM. Make one with `openssl ecparam -name prime256v1 -genkey -noout -out key.pem`.");
            var catalog = VerifyCommand.Folders(backend, shared, parsed, "sign");
            var name = run.Find(parsed, catalog, cancellation).Run;
            var manifest = catalog.Sign(name, path, cancellation);
            if (shared.Json(parsed)) consoles.Out.WriteJson(manifest);
            else
            {
                consoles.Out.WriteRaw(
                    $"Run {name} is signed, with {Words.Plural(manifest.Snapshots.Length + manifest.Ema.Length, "file")} of weights: {RunManifest.File} and {RunManifest.SignatureFile} in its folder.");
            }

            return ExitCode.Ok;
        }));
    }
}
