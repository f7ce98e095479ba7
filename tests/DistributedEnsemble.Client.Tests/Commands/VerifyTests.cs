using System.Security.Cryptography;
using System.Text;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Client.Tests.Commands;

public sealed class VerifyTests
{
    private static readonly string[] s_train =
    [
        "train", "--name", "r", "--members", "3", "--epochs", "3", "--set", "model.hidden=[16]", "--set", "snapshots.perMember=2", "--set", "averaging.everySteps=10",
    ];

    [Fact]
    public async Task What_was_trained_is_proven_by_training_it_again()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync(s_train)).Succeeded();

        var all = (await driver.RunAsync("verify", "r")).Succeeded();
        var one = (await driver.RunAsync("verify", "r", "--member", "1", "--json")).Succeeded().Json;
        var sample = (await driver.RunAsync("verify", "r", "--sample", "2", "--json")).Succeeded().Json;

        Assert.StartsWith("Proven: training 3 members of run r again gives the same sha256 of 6 snapshots and 3 EMA models (kernels of our own, version ", all.Out);
        Assert.Equal([1], one.GetProperty("members").EnumerateArray().Select(member => member.GetInt32()));
        Assert.Equal(2, one.GetProperty("snapshots").GetArrayLength());
        Assert.Equal(2, sample.GetProperty("members").GetArrayLength());
    }

    [Fact]
    public async Task Weights_that_training_does_not_give_are_named()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync(s_train)).Succeeded();
        var folder = new RunFolder(driver.RunsFolder, "r");
        var status = RunStatusJson.FromJson(File.ReadAllText(folder.Status));
        var (first, forged) = (status.Snapshots[0], new string('a', 64));
        File.WriteAllText(folder.Status, File.ReadAllText(folder.Status).Replace(first.Sha256, forged));

        var failed = await driver.RunAsync("verify", "r", "--member", "0");
        (await driver.RunAsync("verify", "r", "--member", "0", "--steps", $"{first.Step + 1}..999999")).Succeeded();

        Assert.Equal(1, failed.ExitCode);
        Assert.Equal(
            $"Member 0 differs at step {first.Step}: training again gives weights {first.Sha256}, and the run recorded {forged} ({first.File}).", failed.ErrorLines[^1]);
    }

    [Fact]
    public async Task A_final_model_that_training_never_reaches_is_named()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync([.. s_train[..3], "--members", "1", "--epochs", "30", "--set", "model.hidden=[16]", "--set", "training.schedule.learningRate=0.05",
            "--set", "training.earlyStopping.everySteps=5", "--set", "training.earlyStopping.patience=2"])).Succeeded();
        (await driver.RunAsync("verify", "r")).Succeeded();
        var folder = new RunFolder(driver.RunsFolder, "r");
        var status = RunStatusJson.FromJson(File.ReadAllText(folder.Status));
        var (member, file) = (status.Members[0], status.Snapshots.Single());
        Assert.True(member.FinalStep < member.Step, "The member was to stop early.");

        Write(status with { Snapshots = [file with { Step = member.Step + 1 }], Members = [member with { FinalStep = member.Step + 1, Step = member.Step + 1, StepsTotal = member.Step + 1 }] });
        var beyond = await driver.RunAsync("verify", "r");
        Write(status with { Members = [member with { FinalStep = member.Step }] });
        var another = await driver.RunAsync("verify", "r");

        Assert.Equal((1, 1, "", ""), (beyond.ExitCode, another.ExitCode, beyond.Out, another.Out));
        Assert.Equal(
            $"Member 0 differs at step {member.Step + 1}: training again ends at step {member.Step} without it, and the run recorded {file.Sha256} ({file.File}).", beyond.ErrorLines[^1]);
        Assert.Equal(
            $"Member 0 differs in its final model: training again gives that of step {member.FinalStep}, and the run recorded that of step {member.Step}.", another.ErrorLines[^1]);

        void Write(RunStatus forged) => File.WriteAllText(folder.Status, RunStatusJson.ToJson(forged));
    }

    [Fact]
    public async Task A_file_of_weights_that_is_not_what_was_recorded_is_named()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync(s_train)).Succeeded();
        var folder = new RunFolder(driver.RunsFolder, "r");
        var path = folder.Path(RunStatusJson.FromJson(File.ReadAllText(folder.Status)).Snapshots[1].File);
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);

        var damaged = await driver.RunAsync("verify", "r");

        Assert.Equal(1, damaged.ExitCode);
        Assert.StartsWith(path, damaged.ErrorLines[^1]);
        Assert.DoesNotContain("Proven", damaged.Out);
    }

    [Fact]
    public async Task What_was_signed_is_known_by_its_key_until_it_changes()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync(s_train)).Succeeded();
        var (key, publicKey, other) = (Key(driver, "key.pem", isPrivate: true), driver.Place("public.pem"), Key(driver, "other.pem", isPrivate: false));
        using (var pair = ECDsa.Create())
        {
            pair.ImportFromPem(File.ReadAllText(key));
            File.WriteAllText(publicKey, pair.ExportSubjectPublicKeyInfoPem());
        }

        var folder = new RunFolder(driver.RunsFolder, "r");
        (await driver.RunAsync("verify", "r", "--key", publicKey)).Refused(2, $"Run \"r\" is not signed: {folder.Path("manifest.json")} is missing.");
        (await driver.RunAsync("sign", "r", "--key", publicKey)).Refused(
            2, $"{publicKey} is no private ECDSA key in PEM: make one with `openssl ecparam -name prime256v1 -genkey -noout -out key.pem`.");
        Assert.Equal("Run r is signed, with 9 files of weights: manifest.json and manifest.sig in its folder.\n", (await driver.RunAsync("sign", "r", "--key", key)).Succeeded().Out);
        Assert.Equal("Run r is what was signed: its spec, its data's description, and 9 files of weights.\n", (await driver.RunAsync("verify", "r", "--key", publicKey)).Succeeded().Out);

        (await driver.RunAsync("verify", "r", "--key", other)).Refused(1, $"{folder.Path("manifest.json")} was not signed with the key of {other}, or has changed since.");
        var status = File.ReadAllText(folder.Status);
        var parsed = RunStatusJson.FromJson(status);
        var (first, last) = (parsed.Snapshots[0].Step, parsed.Members[0].FinalStep);
        File.WriteAllText(folder.Status, RunStatusJson.ToJson(parsed with { Members = parsed.Members.SetItem(1, parsed.Members[1] with { FinalStep = first }) }));
        (await driver.RunAsync("verify", "r", "--key", key)).Refused(
            1, $"The final models are not those that were signed: of steps {last}, {first}, {last} instead of {last}, {last}, {last}.");
        File.WriteAllText(folder.Status, status);
        var weights = parsed.Snapshots[1];
        var bytes = File.ReadAllBytes(folder.Path(weights.File));
        bytes[^1] ^= 1;
        File.WriteAllBytes(folder.Path(weights.File), bytes);
        var damaged = await driver.RunAsync("verify", "r", "--key", key);
        Assert.Equal(1, damaged.ExitCode);
        Assert.Contains(folder.Path(weights.File), damaged.Error);

        // A key may have signed other things than runs.
        foreach (var signed in new[] { "a letter", "null", "{}", "[]" })
        {
            File.WriteAllText(folder.Path("manifest.json"), signed);
            using var pair = ECDsa.Create();
            pair.ImportFromPem(File.ReadAllText(key));
            File.WriteAllBytes(folder.Path("manifest.sig"), pair.SignData(Encoding.UTF8.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
            (await driver.RunAsync("verify", "r", "--key", publicKey)).Refused(1, $"{folder.Path("manifest.json")} was signed with the key of {publicKey}, and is no manifest of a run.");
        }
    }

    [Theory]
    [InlineData("--steps 5..1", "--steps is 5..1: it is a range of steps from 1, as in 1..500.")]
    [InlineData("--member 3", "There is no member 3: the run has 3, numbered from 0.")]
    [InlineData("--member 1 --sample 1", "--member chooses one, --sample draws them: leave one of the two out.")]
    [InlineData("--key .", ". is a folder: a key is a file, in PEM.")]
    [InlineData("--key nowhere.pem", "There is no key nowhere.pem: make one with `openssl ecparam -name prime256v1 -genkey -noout -out key.pem`.")]
    [InlineData("--steps 1..2", "Run \"r\" has recorded nothing of what was chosen: there is nothing to compare with.")]
    public async Task What_cannot_be_verified_is_refused_in_one_line(string options, string error)
    {
        using var driver = new TestDriver();
        (await driver.RunAsync([.. s_train[..7], "--set", "model.hidden=[8]"])).Succeeded();

        var refused = await driver.RunAsync(["verify", "r", .. options.Split(' ')]);

        Assert.Equal(2, refused.ExitCode);
        Assert.StartsWith(error, refused.ErrorLines[^1]);
    }

    private static string Key(TestDriver driver, string name, bool isPrivate)
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return driver.File(name, isPrivate ? pair.ExportECPrivateKeyPem() : pair.ExportSubjectPublicKeyInfoPem());
    }
}
