using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Training.Tables;

/// <summary>The rows of a table, one after the other in little memory.</summary>
internal interface ITableRows : IDisposable
{
    /// <summary>The trimmed names, distinct.</summary>
    IReadOnlyList<string> Columns { get; }

    /// <summary>Whether the file itself has a name for a column, which says more than that there is none.</summary>
    bool IsNamed(int column);

    /// <summary>Goes to the next row, which has a cell for each column.</summary>
    /// <exception cref="DataException">The row breaks a rule; the message names its line.</exception>
    bool Read();

    /// <summary>A cell of the row, valid until the next one.</summary>
    Cell this[int column] { get; }

    /// <summary>An error about the row that was read.</summary>
    DataException Error(int column, string reason);
}
