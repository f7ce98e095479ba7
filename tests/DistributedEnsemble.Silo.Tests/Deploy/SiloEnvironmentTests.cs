using System.Text.RegularExpressions;
using DistributedEnsemble.Serving;

namespace DistributedEnsemble.Silo.Tests.Deploy;

/// <summary>No deployment sets what nobody reads: a misspelt variable would be ignored in silence.</summary>
public sealed partial class SiloEnvironmentTests
{
    private static readonly HashSet<string> s_known =
    [
        "ENSEMBLE__CLUSTER", "ENSEMBLE__ADDRESS", "ENSEMBLE__HTTP", "ENSEMBLE__SECRETS",
        "ENSEMBLE__TLS__CERTIFICATE", "ENSEMBLE__TLS__KEY", "ENSEMBLE__TLS__AUTHORITY",
        .. typeof(HttpSettings).GetProperties().Select(property => $"ENSEMBLE__SERVING__{property.Name.ToUpperInvariant()}"),
        .. SiloCommand.Create().Options.Select(option => $"ENSEMBLE__{option.Name.Replace("-", "").ToUpperInvariant()}"),
    ];

    public static TheoryData<string> Files =>
    [
        "docker-compose.yml", "deploy/Dockerfile", "deploy/kubernetes/silos.yaml", "deploy/kubernetes/kustomization.yaml",
        "deploy/compose.objects.yaml", "deploy/kubernetes-objects/silos.yaml", "deploy/kubernetes-driver/driver.yaml",
        "deploy/ensemble-silo.service", "deploy/prepare-secrets",
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_variable_of_a_deployment_is_one_that_the_silo_reads(string file)
    {
        var names = Name().Matches(DeployFiles.Read(file)).Select(match => match.Value).Distinct().ToList();

        Assert.NotEmpty(names);
        Assert.Empty(names.Except(s_known));
    }

    [GeneratedRegex("ENSEMBLE__[A-Z_]*[A-Z]")]
    private static partial Regex Name();
}
