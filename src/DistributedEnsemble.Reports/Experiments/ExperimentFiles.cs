using System.Text;
using DistributedEnsemble.Training;

namespace DistributedEnsemble.Reports;

/// <summary>The files of an experiment, in a folder of its name.</summary>
public static class ExperimentFiles
{
    public const string Data = "data.json";

    public static void Write(ExperimentResults results, string folder, string name) => Write(Path.Combine(folder, name, Data), results.ToJson());

    private static void Write(string path, string text) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)));
}
