using DistributedEnsemble.Tests;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Training.Tests.Data;

/// <summary>Which tables' inputs lie in a file.</summary>
public sealed class InputFolderTests : IDisposable
{
    private const long Free = 1L << 51, Memory = 1L << 30;

    private readonly TemporaryFolder _folder = TemporaryFolder.OnDisk();
    private readonly List<string> _told = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Small_tables_stay_in_memory_to_the_byte_and_nothing_is_said()
    {
        Assert.Null(Folder(_folder.Path, most: 4 * 10 * 30).TryOpen("t", 30, [8, 2], Memory));
        var files = Folder(_folder.Path, most: (4 * 10 * 30) - 1).TryOpen("t", 30, [8, 2], Memory);
        Assert.Equal(2, files!.Length);
        foreach (var file in files) file.Dispose();
        Assert.Empty(_told);
    }

    [Fact]
    public void A_folder_that_is_missing_is_made()
    {
        var files = Folder(_folder.File("runs"), most: 1).TryOpen("t", 30, [8, 0], Memory)!;
        Assert.True(Directory.Exists(_folder.File("runs")));
        foreach (var file in files) file.Dispose();
    }

    [Fact]
    public void What_is_memory_itself_is_not_taken()
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm") && new DriveInfo("/dev/shm").DriveFormat == "tmpfs", "/dev/shm is no tmpfs");
        Assert.Null(new InputFolder("/dev/shm", 1, Tell).TryOpen("t.csv", 30, [10_000_000, 0], 1L << 40));
        Assert.Equal(["t.csv (1.1 GiB): /dev/shm is memory itself (tmpfs)"], _told);
    }

    /// <summary>As the platform takes the types that the system names.</summary>
    [Theory]
    [InlineData(DriveType.Fixed, "ext4", true)]
    [InlineData(DriveType.Fixed, "overlay", true)]
    [InlineData(DriveType.Fixed, "NTFS", true)]
    [InlineData(DriveType.Removable, "vfat", true)]
    [InlineData(DriveType.Network, "fuseblk", true)]
    [InlineData(DriveType.Network, "ecryptfs", true)]
    [InlineData(DriveType.Unknown, "ntfs3", true)]
    [InlineData(DriveType.Unknown, "fuse.fuse-overlayfs", true)]
    [InlineData(DriveType.Network, "nfs4", false)]
    [InlineData(DriveType.Network, "cifs", false)]
    [InlineData(DriveType.Unknown, "smb3", false)]
    [InlineData(DriveType.Unknown, "virtiofs", false)]
    [InlineData(DriveType.Unknown, "fuse.sshfs", false)]
    [InlineData(DriveType.Unknown, "fuse.glusterfs", false)]
    [InlineData(DriveType.Unknown, "fuse.juicefs", false)]
    public void What_is_not_known_to_be_a_disk_of_this_machine_is_not_taken_for_one(DriveType type, string format, bool isDisk) =>
        Assert.Equal(isDisk, InputFolder.IsDisk(type, format));

    [Fact]
    public void A_folder_without_room_is_not_taken()
    {
        Assert.Null(Folder(_folder.Path, most: 1).TryOpen("t.csv", 1 << 20, [1 << 28], Free));
        Assert.Matches($@"^t\.csv \(1,048,576\.0 GiB\): {_folder.Path} has .* free$", Assert.Single(_told));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_to_is_not_taken()
    {
        File.WriteAllText(_folder.File("file"), "");
        Assert.Null(Folder(_folder.File("file"), most: 1).TryOpen("t.csv", 30, [8], Memory));
        Assert.StartsWith($"t.csv (0.0 MiB): no file of that size can be made in {_folder.File("file")} (", Assert.Single(_told));
    }

    [Fact]
    public void What_fits_nowhere_is_refused_in_a_line_with_its_size_and_the_folder_is_for_the_log()
    {
        var error = Assert.Throws<DataException>(() => Folder(_folder.Path, most: 1).TryOpen("t.csv", 1 << 20, [1 << 28], Memory));
        Assert.Equal(
            "268,435,456 rows of 1,048,576 numbers take 1,048,577.0 GiB of memory, and 1.0 GiB are free; nor can they lie in a file: the log says why. Take a part of the rows, or fewer columns.",
            error.Message);
        Assert.Matches($@"^t\.csv \(1,048,576\.0 GiB\): {_folder.Path} has .* free$", Assert.Single(_told));
    }

    [Fact]
    public void Targets_have_to_fit_into_memory()
    {
        var error = Assert.Throws<DataException>(() => SampleMemory.Of("t", 30, Preprocessing.None, [1000], Folder(_folder.Path, most: 1), available: 3999));
        Assert.Equal("The targets of 1,000 rows take 0.0 MiB of memory, and 0.0 MiB are free. Take a part of the rows.", error.Message);
    }

    private InputFolder Folder(string path, long most) => new(path, most, Tell);

    private void Tell(string table, string reason) => _told.Add($"{table}: {reason}");
}
