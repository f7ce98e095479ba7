using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Exports;
using DistributedEnsemble.Training.Exports.Onnx;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Client.Runs;

/// <summary>
/// The runs of a folder, a store or a cluster. Calls wait, for files or for silos, on the thread of a command that has nothing else to do; each
/// ends with an <see cref="OperationCanceledException"/> when it is given up.
/// </summary>
internal interface IRunCatalog
{
    IReadOnlyList<string> Names(CancellationToken cancellation);

    /// <returns>The run, or null if there is none of that name.</returns>
    /// <exception cref="InvalidDataException">Its status is damaged.</exception>
    RunStatus? Find(string name, CancellationToken cancellation);

    /// <summary>Whether the name is taken, also by a run whose files are damaged.</summary>
    bool Exists(string name, CancellationToken cancellation);

    /// <summary>Asks the process that trains a run to pause it.</summary>
    void RequestStop(string name, CancellationToken cancellation);

    /// <summary>Removes a run that nobody trains, with all its files.</summary>
    void Delete(string name, CancellationToken cancellation);

    /// <summary>The run's resolved spec.</summary>
    /// <exception cref="InvalidDataException">This program cannot read it.</exception>
    EnsembleSpec ReadSpec(string name, CancellationToken cancellation);

    /// <summary>The run's resolved spec, and what its data is.</summary>
    /// <exception cref="InvalidDataException">This program cannot read one of the two, such as the data of another program's task.</exception>
    RunDescription ReadDescription(string name, CancellationToken cancellation);

    /// <summary>Measures on the test split, computed in this process.</summary>
    /// <param name="coverage">The share of rows that conformal sets or intervals shall hold; null for none.</param>
    EvaluationReport Evaluate(string name, ConstituentChoice choice, double? coverage, CancellationToken cancellation);

    /// <summary>Predicts rows or images in this process; the run's data is not needed.</summary>
    /// <param name="coverage">The share of rows that intervals shall hold; null for the default.</param>
    /// <param name="open">What is predicted, as the run's data was.</param>
    /// <param name="write">Gets the predictions, which are made while it takes them.</param>
    void Predict(string name, ConstituentChoice choice, double? coverage, Func<DataDescription, IRowBatches> open, Action<PredictedRows> write, CancellationToken cancellation);

    /// <summary>What the training rows are answered by the members that did not see them.</summary>
    /// <param name="coverage">The share of rows that intervals shall hold; null for the default.</param>
    /// <exception cref="OperationCanceledException">It was given up, also while rows are taken.</exception>
    PredictedRows PredictOutOfFold(string name, ConstituentChoice choice, double? coverage, CancellationToken cancellation);

    /// <summary>Copies what predicting takes into a folder that does not exist yet, or is empty.</summary>
    ExportManifest Export(string name, ConstituentChoice choice, string output, CancellationToken cancellation);

    /// <summary>Writes the run as one ONNX file, which is replaced.</summary>
    /// <param name="isSingle">Whether only its best model.</param>
    OnnxFile ExportOnnx(string name, ConstituentChoice choice, bool isSingle, string output, CancellationToken cancellation);

    /// <summary>Writes a page with plots into the run's folder.</summary>
    /// <returns>The page's file.</returns>
    string Report(string name, ConstituentChoice choice, CancellationToken cancellation);

    /// <summary>Writes TensorBoard's event files into the run's folder.</summary>
    /// <returns>Their folder.</returns>
    string TensorBoard(string name, CancellationToken cancellation);
}
