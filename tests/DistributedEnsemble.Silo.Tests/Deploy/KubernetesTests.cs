using DistributedEnsemble.Grains.Stores.Objects;
using k8s;
using k8s.Models;

namespace DistributedEnsemble.Silo.Tests.Deploy;

/// <summary>The manifests, read strictly: a key that Kubernetes does not know is an error.</summary>
public sealed class KubernetesTests
{
    private static readonly List<object> s_objects = [.. Files().SelectMany(file => KubernetesYaml.LoadAllFromString(File.ReadAllText(file), strict: true))];

    private static V1StatefulSet Silos => One<V1StatefulSet>("ensemble-silo");

    private static V1Container Silo => Assert.Single(Silos.Spec.Template.Spec.Containers);

    [Fact]
    public void The_kustomization_names_every_manifest()
    {
        var named = DeployFiles.Read("deploy", "kubernetes", "kustomization.yaml").Split('\n').Select(line => line.Trim())
            .Where(line => line.StartsWith("- ", StringComparison.Ordinal) && line.EndsWith(".yaml", StringComparison.Ordinal)).Select(line => line[2..]);

        Assert.Equal(Files().Select(file => Path.GetFileName(file)!).Order(), named.Order());
    }

    [Fact]
    public void A_silo_has_time_to_hand_its_members_over_before_it_is_killed() => Assert.True(
        Silos.Spec.Template.Spec.TerminationGracePeriodSeconds > int.Parse(Value("DOTNET_SHUTDOWNTIMEOUTSECONDS")));

    [Fact]
    public void A_silo_asks_for_processors_and_is_never_throttled()
    {
        Assert.Equal(Value("ENSEMBLE__LANES"), Silo.Resources.Requests["cpu"].ToString());
        Assert.False(Silo.Resources.Limits.ContainsKey("cpu"));
        Assert.True(Silo.Resources.Limits.ContainsKey("memory"));
    }

    [Fact]
    public void Liveness_asks_the_process_and_readiness_the_cluster()
    {
        Assert.Equal("/health/live", Silo.LivenessProbe.HttpGet.Path);
        Assert.Equal("/health/live", Silo.StartupProbe.HttpGet.Path);
        Assert.Equal("/health/ready", Silo.ReadinessProbe.HttpGet.Path);
        Assert.All([Silo.LivenessProbe, Silo.StartupProbe, Silo.ReadinessProbe], probe => Assert.Equal("HTTPS", probe.HttpGet.Scheme));
    }

    [Fact]
    public void Every_container_runs_without_root_privileges_or_a_writable_root()
    {
        var pods = All<V1StatefulSet>().Select(set => set.Spec.Template.Spec).ToList();
        Assert.Equal(2, pods.Count);
        foreach (var pod in pods)
        {
            Assert.True(pod.SecurityContext.RunAsNonRoot);
            Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
            Assert.False(pod.AutomountServiceAccountToken);
            Assert.All(pod.Containers, container =>
            {
                Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
                Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
                Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
            });
        }
    }

    [Fact]
    public void The_namespace_allows_nothing_more()
    {
        var space = One<V1Namespace>("ensemble").Metadata.Labels;
        Assert.All(["enforce", "audit", "warn"], mode => Assert.Equal("restricted", space[$"pod-security.kubernetes.io/{mode}"]));
    }

    [Fact]
    public void No_pod_can_fill_a_machine() => Assert.All(All<V1StatefulSet>().Select(set => set.Spec.Template.Spec), pod =>
    {
        Assert.All(pod.Containers, container => Assert.True(container.Resources.Limits.ContainsKey("memory") && container.Resources.Limits.ContainsKey("ephemeral-storage")));
        Assert.All(pod.Volumes.Where(volume => volume.EmptyDir is not null), volume => Assert.NotNull(volume.EmptyDir.SizeLimit));
    });

    [Fact]
    public void A_silo_advertises_its_pods_own_address() =>
        Assert.Equal("status.podIP", Silo.Env.Single(e => e.Name == "ENSEMBLE__ADDRESS").ValueFrom.FieldRef.FieldPath);

    [Fact]
    public void Silos_and_redis_are_found_without_a_balancing_address()
    {
        Assert.Equal("None", One<V1Service>(Silos.Spec.ServiceName).Spec.ClusterIP);
        Assert.Equal("None", One<V1Service>("redis").Spec.ClusterIP);
    }

    [Fact]
    public void At_most_one_silo_is_taken_away_at_a_time()
    {
        var budget = One<V1PodDisruptionBudget>("ensemble-silos");
        Assert.Equal("1", budget.Spec.MaxUnavailable.ToString());
        Assert.Equal(Silos.Spec.Template.Metadata.Labels.Intersect(budget.Spec.Selector.MatchLabels).Count(), budget.Spec.Selector.MatchLabels.Count);
    }

    [Fact]
    public void Runs_lie_where_every_silo_writes()
    {
        var volume = Silos.Spec.Template.Spec.Volumes.Single(v => v.PersistentVolumeClaim is not null);
        Assert.Equal(["ReadWriteMany"], One<V1PersistentVolumeClaim>(volume.PersistentVolumeClaim.ClaimName).Spec.AccessModes);
        Assert.Equal(Value("ENSEMBLE__RUNS"), Silo.VolumeMounts.Single(mount => mount.Name == volume.Name).MountPath);
    }

    [Fact]
    public void With_a_store_of_objects_each_pod_has_a_folder_of_its_own()
    {
        var patch = Assert.IsType<V1StatefulSet>(Assert.Single(KubernetesYaml.LoadAllFromString(DeployFiles.Read("deploy", "kubernetes-objects", "silos.yaml"), strict: true)));
        Assert.Equal(Silos.Metadata.Name, patch.Metadata.Name);
        var container = Assert.Single(patch.Spec.Template.Spec.Containers);
        Assert.Equal(Silo.Name, container.Name);

        // These take the place of the volume of the same name.
        var shared = Silos.Spec.Template.Spec.Volumes.Single(v => v.PersistentVolumeClaim is not null);
        var own = patch.Spec.Template.Spec.Volumes.Single(v => v.Name == shared.Name);
        Assert.Null(own.PersistentVolumeClaim);
        Assert.NotNull(own.EmptyDir.SizeLimit);
        var keys = container.VolumeMounts.Single(mount => mount.Name == patch.Spec.Template.Spec.Volumes.Single(v => v.Secret is not null).Name);
        Assert.StartsWith($"{keys.MountPath}/", container.Env.Single(e => e.Name == "AWS_SHARED_CREDENTIALS_FILE").Value, StringComparison.Ordinal);
        ObjectStoreAddress.Parse(container.Env.Single(e => e.Name == "ENSEMBLE__STORE").Value, "ENSEMBLE__STORE", name => container.Env.SingleOrDefault(e => e.Name == name)?.Value);

        var kustomization = DeployFiles.Read("deploy", "kubernetes-objects", "kustomization.yaml");
        Assert.All(["StatefulSet, name: ensemble-silo", $"PersistentVolumeClaim, name: {shared.PersistentVolumeClaim.ClaimName}", "NetworkPolicy, name: ensemble-silos"],
            target => Assert.Contains($"target: {{ kind: {target} }}", kustomization, StringComparison.Ordinal));
    }

    [Fact]
    public void The_driver_may_connect_where_it_must_and_do_no_more_than_a_silo()
    {
        var objects = KubernetesYaml.LoadAllFromString(DeployFiles.Read("deploy", "kubernetes-driver", "driver.yaml"), strict: true);
        var (pod, policy) = (Assert.Single(objects.OfType<V1Pod>()), Assert.Single(objects.OfType<V1NetworkPolicy>()));
        Assert.Equal(One<V1Namespace>("ensemble").Metadata.Name, pod.Metadata.NamespaceProperty);

        // Whom silos and Redis let in, and where its own policy lets it go.
        foreach (var (name, port) in new[] { ("ensemble-silos", "30000"), ("ensemble-silos", "8000"), ("ensemble-redis", "6379") })
        {
            var server = One<V1NetworkPolicy>(name).Spec;
            Assert.Contains(server.Ingress, rule => rule.Ports.Any(allowed => allowed.Port == port)
                && rule.FromProperty.Any(peer => peer.PodSelector.MatchLabels.All(pod.Metadata.Labels.Contains)));
            Assert.Contains(policy.Spec.Egress, rule => rule.Ports.Any(allowed => allowed.Port == port)
                && rule.To.Any(peer => peer.PodSelector.MatchLabels.All(server.PodSelector.MatchLabels.Contains)));
        }

        Assert.All(policy.Spec.PodSelector.MatchLabels, label => Assert.Contains(label, pod.Metadata.Labels));
        var container = Assert.Single(pod.Spec.Containers);
        Assert.Equal(Silo.Image, container.Image);
        Assert.Equivalent(Silo.SecurityContext, container.SecurityContext);
        Assert.Equal(Silos.Spec.Template.Spec.SecurityContext.RunAsUser, pod.Spec.SecurityContext.RunAsUser);
        Assert.True(pod.Spec.SecurityContext.RunAsNonRoot);
        Assert.False(pod.Spec.AutomountServiceAccountToken);
        Assert.Equal("RuntimeDefault", pod.Spec.SecurityContext.SeccompProfile.Type);
    }

    [Fact]
    public void Redis_writes_everything_to_disk_at_once()
    {
        var arguments = string.Join(' ', Assert.Single(One<V1StatefulSet>("redis").Spec.Template.Spec.Containers).Args);
        Assert.Contains("--appendonly yes --appendfsync always", arguments, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_pod_is_behind_a_policy_in_both_directions()
    {
        var policies = All<V1NetworkPolicy>().ToList();
        foreach (var set in All<V1StatefulSet>())
        {
            var policy = Assert.Single(policies, p => p.Spec.PodSelector.MatchLabels.All(set.Spec.Template.Metadata.Labels.Contains));
            Assert.Equal(["Ingress", "Egress"], policy.Spec.PolicyTypes);
        }
    }

    [Fact]
    public void The_image_and_its_ports_are_those_of_the_dockerfile()
    {
        var dockerfile = DeployFiles.Read("deploy", "Dockerfile");
        Assert.Contains($"-t {Silo.Image} ", dockerfile, StringComparison.Ordinal);
        // .editorconfig, which tells analyzers what to pass over, is not among the files that it is built from.
        Assert.Contains(" -p:RunAnalyzers=false ", dockerfile, StringComparison.Ordinal);
        Assert.Equal([8000, 11111, 30000], Silo.Ports.Select(port => port.ContainerPort).Order());
    }

    private static string Value(string name) => Silo.Env.Single(e => e.Name == name).Value;

    private static IEnumerable<string> Files() => Directory.EnumerateFiles(DeployFiles.PathOf("deploy", "kubernetes"), "*.yaml")
        .Where(file => Path.GetFileName(file) != "kustomization.yaml");

    private static IEnumerable<T> All<T>() => s_objects.OfType<T>();

    private static T One<T>(string name) where T : IKubernetesObject<V1ObjectMeta> => All<T>().Single(o => o.Metadata.Name == name);
}
