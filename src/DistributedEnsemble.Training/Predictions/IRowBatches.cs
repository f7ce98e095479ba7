using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Training.Predictions;

/// <summary>What is to be predicted: rows of a table, or images; read while they are predicted.</summary>
internal interface IRowBatches : IDisposable
{
    /// <summary>The names of the columns that the run does not know, which are passed on to the output.</summary>
    IReadOnlyList<string> PassedColumns { get; }

    /// <summary>In batches of <see cref="BatchedPrediction.BatchSize"/>; once.</summary>
    /// <exception cref="DataException">Something does not fit the run.</exception>
    IEnumerable<TableBatch> Batches();

    /// <summary>What people should know when all batches are read: a sentence each.</summary>
    IEnumerable<string> Notes => [];
}
