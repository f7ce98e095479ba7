using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;

namespace DistributedEnsemble.Cluster.Tests.Deploy;

/// <summary>All packages, made by the one command that docs/hosts.md names, in a folder that NuGet takes for a feed.</summary>
public sealed class PackedFeed : IAsyncLifetime
{
    public const string Version = "1.0.0";

    /// <summary>Source Link's place in a portable PDB.</summary>
    private static readonly Guid s_sourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

    private readonly TemporaryFolder _folder = new();

    public string Path => _folder.File("feed");

    /// <summary>Names this feed alone, beside the packages that are on this machine already.</summary>
    public string Configuration => _folder.File("nuget.config");

    public async ValueTask InitializeAsync()
    {
        await PackAsync(Repository.File("DistributedEnsemble.sln"), Path, "--no-build", "--configuration", Repository.Configuration);
        File.WriteAllText(Configuration, $"""<configuration><packageSources><clear /><add key="packed" value="{Path}" /></packageSources></configuration>""");
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return default;
    }

    public static Task PackAsync(string project, string output, params string[] more) => LocalProcess.RunAsync(
        "dotnet", ["pack", project, "--output", output, .. more, "--verbosity", "quiet", "-p:UseSharedCompilation=false", "-nodeReuse:false"]);

    public string Package(string name) => System.IO.Path.Combine(Path, $"{name}.{Version}.nupkg");

    /// <summary>The files of a package with their texts, as far as they are some.</summary>
    public static string Text(string package, string entry) => Encoding.UTF8.GetString(Bytes(package, entry));

    public static byte[] Bytes(string package, string entry)
    {
        using var archive = ZipFile.OpenRead(package);
        var found = archive.GetEntry(entry);
        Assert.True(found is not null, $"{package} has no {entry}, but {string.Join(", ", archive.Entries.Select(file => file.FullName))}.");
        using var stream = found.Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>By which a debugger knows that symbols are those of a library.</summary>
    public static Guid SymbolsOf(byte[] library)
    {
        using var reader = new PEReader(new MemoryStream(library));
        return reader.ReadCodeViewDebugDirectoryData(reader.ReadDebugDirectory().First(entry => entry.Type == DebugDirectoryEntryType.CodeView)).Guid;
    }

    /// <summary>The identity of a portable PDB, and where it says that sources lie (empty, if it does not).</summary>
    public static (Guid Id, string SourceLink) Read(byte[] symbols)
    {
        using var provider = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(symbols));
        var reader = provider.GetMetadataReader();
        var link = reader.CustomDebugInformation.Select(reader.GetCustomDebugInformation).Where(information => reader.GetGuid(information.Kind) == s_sourceLink)
            .Select(information => Encoding.UTF8.GetString(reader.GetBlobBytes(information.Value))).SingleOrDefault("");
        return (new BlobContentId(reader.DebugMetadataHeader!.Id).Guid, link);
    }
}
