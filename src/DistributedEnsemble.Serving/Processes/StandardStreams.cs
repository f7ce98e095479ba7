using System.Runtime.InteropServices;
using System.Text;

namespace DistributedEnsemble.Serving.Processes;

/// <summary>
/// Standard input, output and error, as whoever started the process left them: on a full disk, at somebody who has left, or closed. One
/// that is closed has a number that the runtime gives to the first file it opens for itself, which is none of ours to read or write.
/// </summary>
internal static class StandardStreams
{
    /// <summary>Takes them over, before anything is written: what standard error does not take is lost, and fails nothing.</summary>
    /// <param name="needsOutput">Whether standard output has what was asked for: then writing fails in a line that names it. If not, it is lost.</param>
    public static void TakeOver(bool needsOutput)
    {
        Console.SetOut(IsOpen(1) ? new StandardWriter(Console.Out, needsOutput) : needsOutput ? new ClosedWriter() : TextWriter.Null);
        Console.SetError(IsOpen(2) ? new StandardWriter(Console.Error, mustWrite: false) : TextWriter.Null);
    }

    /// <summary>Standard input; empty if it is closed.</summary>
    public static Stream OpenInput() => IsOpen(0) ? Console.OpenStandardInput() : Stream.Null;

    /// <summary>Whether it was open when this program began: what a process opens for itself says that no other shall have it.</summary>
    private static bool IsOpen(int descriptor)
    {
        const int getFlags = 1, closeOnExec = 1;
        return OperatingSystem.IsWindows() || FileControl(descriptor, getFlags) is >= 0 and var flags && (flags & closeOnExec) == 0;
    }

    [DllImport("libc", EntryPoint = "fcntl"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int FileControl(int descriptor, int command);

    private static IOException Unwritable(string reason, Exception? exception = null) => new($"Standard output cannot be written: {reason}", exception);

    private sealed class StandardWriter(TextWriter inner, bool mustWrite) : TextWriter
    {
        public override Encoding Encoding => inner.Encoding;

        public override void Write(char value) => Try(() => inner.Write(value));

        public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));

        public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

        public override void Write(string? value) => Try(() => inner.Write(value));

        public override void WriteLine(string? value) => Try(() => inner.WriteLine(value));

        public override void Flush() => Try(inner.Flush);

        private void Try(Action write)
        {
            try
            {
                write();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                if (mustWrite) throw Unwritable($"{exception.Message.TrimEnd('.')}.", exception);
            }
        }
    }

    private sealed class ClosedWriter : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => throw Unwritable("it is closed.");
    }
}
