using System.Text.Json;

namespace DistributedEnsemble.Cluster.Tests.Deploy;

public sealed class NoticesTests
{
    private static readonly string[] s_notices = File.ReadAllLines(Repository.File("THIRD-PARTY-NOTICES.txt"));

    [Theory]
    [InlineData("ensemble")]
    [InlineData("ensemble-silo")]
    public void Every_package_that_a_program_carries_is_named_in_the_notices_with_its_licence(string program)
    {
        var libraries = JsonElement.Parse(File.ReadAllText(Path.Join(AppContext.BaseDirectory, $"{program}.deps.json"))).GetProperty("libraries");
        string[] packages = [.. libraries.EnumerateObject().Where(library => library.Value.GetProperty("type").GetString() == "package").Select(library => library.Name.Split('/')[0])];

        Assert.NotEmpty(packages);
        // A new package takes two lines: its name, then its licence and copyright as its nuspec has them.
        var named = s_notices.Zip(s_notices.Skip(1)).Where(lines => lines.Second.StartsWith("    ", StringComparison.Ordinal)).Select(lines => lines.First).ToHashSet();
        Assert.All(packages, package => Assert.Contains(package, named));
    }

    [Fact]
    public void The_data_that_is_built_in_is_named_with_its_authors_licence_and_changes()
    {
        var notices = string.Join('\n', s_notices);
        foreach (var part in new[] { "digits.csv.gz", "E. Alpaydin and C. Kaynak", "https://doi.org/10.24432/C50P49", "CC BY 4.0", "Changes:" })
            Assert.Contains(part, notices, StringComparison.Ordinal);
    }

    [Fact]
    public void The_image_holds_licence_and_notices()
    {
        Assert.Contains("COPY LICENSE THIRD-PARTY-NOTICES.txt /app/", File.ReadAllLines(Repository.File("deploy", "Dockerfile")));
        var included = File.ReadAllLines(Repository.File(".dockerignore"));
        Assert.Contains("!LICENSE", included);
        Assert.Contains("!THIRD-PARTY-NOTICES.txt", included);
    }
}
