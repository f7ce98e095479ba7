using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.RegularExpressions;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Serving.Telemetry;
using DistributedEnsemble.Serving.Tests;

namespace DistributedEnsemble.Serving.Tests.Telemetry;

/// <summary>The dashboard and the alerts ask for what a server exports.</summary>
public sealed partial class GrafanaTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private static readonly string s_dashboard = File.ReadAllText(Repository.File("deploy", "grafana", "dashboard.json"));
    private static readonly string s_alerts = File.ReadAllText(Repository.File("deploy", "grafana", "alerts.yaml"));

    [Fact]
    public async Task They_name_metrics_that_a_server_exports()
    {
        await served.PredictAsync(ServedRuns.Rows(1));
        var instruments = Instruments();
        var exported = "";
        await ServedRuns.WaitAsync(async () => (exported = await served.Client.GetStringAsync("/metrics")).Contains("ensemble_training_steps_total", StringComparison.Ordinal));
        var names = Name().Matches(exported).Select(match => match.Value).ToHashSet();

        // What has not happened yet is not exported: its name follows from its instrument, as those do that are.
        Assert.Superset(names.Where(name => name.StartsWith("ensemble_", StringComparison.Ordinal)).ToHashSet(), instruments);
        var asked = Asked().Matches(s_dashboard + s_alerts).Select(match => match.Value).ToHashSet();
        Assert.Contains("ensemble_store_failures_total", asked);
        Assert.All(asked, name => Assert.True(names.Contains(name) || instruments.Contains(name), $"{name} is not exported."));
    }

    [Fact]
    public void The_dashboard_is_whole_and_its_panels_lie_beside_each_other()
    {
        var panels = JsonElement.Parse(s_dashboard).GetProperty("panels").EnumerateArray().Select(panel => panel.GetProperty("gridPos")).ToArray();

        var places = panels.SelectMany(panel =>
            from x in Enumerable.Range(panel.GetProperty("x").GetInt32(), panel.GetProperty("w").GetInt32())
            from y in Enumerable.Range(panel.GetProperty("y").GetInt32(), panel.GetProperty("h").GetInt32())
            select (x, y)).ToArray();

        Assert.Equal(places.Length, places.Distinct().Count());
        Assert.All(places, place => Assert.InRange(place.x, 0, 23));
    }

    [Fact]
    public void The_alerts_are_those_for_no_progress_a_lost_silo_and_a_store_that_refuses() => Assert.Equal(
        ["EnsembleNoProgress", "EnsembleSiloLost", "EnsembleStoreRefuses"], Alert().Matches(s_alerts).Select(match => match.Groups[1].Value));

    [Fact]
    public void No_progress_is_missed_also_where_no_lane_trains_and_no_step_was_ever_done() =>
        Assert.Contains("sum(ensemble_runs_unfinished) > 0 and (sum(increase(ensemble_training_steps_total[10m])) or vector(0)) == 0", s_alerts, StringComparison.Ordinal);

    [Fact]
    public void A_silo_is_lost_also_when_discovery_no_longer_names_it() =>
        Assert.Contains("""up{job="ensemble"} == 0 or (max_over_time(up{job="ensemble"}[15m]) == 1 unless up{job="ensemble"})""", s_alerts, StringComparison.Ordinal);

    /// <summary>The names under which Prometheus has each instrument of the meter.</summary>
    private static HashSet<string> Instruments()
    {
        var names = new HashSet<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (instrument.Meter.Name != Measurements.Name) return;
            var name = instrument.Name.Replace('.', '_') + (instrument.Unit == "s" ? "_seconds" : "");
            if (instrument is Histogram<double> or Histogram<long>) names.UnionWith(["_bucket", "_sum", "_count"], name);
            else names.Add(instrument is Counter<long> ? $"{name}_total" : name);
        };
        _ = (Measurements.StoreFailures, RequestMeasurements.Duration);
        listener.Start();
        return names;
    }

    [GeneratedRegex(@"^[a-z][a-z0-9_]*(?=[{ ])", RegexOptions.Multiline)]
    private static partial Regex Name();

    [GeneratedRegex(@"\b(ensemble|orleans|http|kestrel|dotnet)_[a-z0-9_]+\b")]
    private static partial Regex Asked();

    [GeneratedRegex(@"- alert: (\w+)")]
    private static partial Regex Alert();
}

internal static class SetExtensions
{
    public static void UnionWith(this HashSet<string> set, IEnumerable<string> endings, string name) => set.UnionWith(endings.Select(ending => name + ending));
}
