namespace DistributedEnsemble.Training.Kernels;

/// <summary>What each element of a product starts from.</summary>
internal enum ProductStart
{
    Zero,

    /// <summary>What is there: the product is added to it.</summary>
    Sum,

    /// <summary>A number for each column.</summary>
    BiasOfColumns,

    /// <summary>A number for each row.</summary>
    BiasOfRows,
}
