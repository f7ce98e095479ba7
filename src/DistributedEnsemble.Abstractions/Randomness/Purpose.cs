namespace DistributedEnsemble.Randomness;

/// <summary>What a random number is for. The numbers are part of every run's identity and never change.</summary>
public enum Purpose
{
    Initialization = 0,
    BatchOrder = 1,
    Dropout = 2,
    MonteCarlo = 3,
    DataSplit = 4,

    /// <summary>The values of a search: its step is the variant, its layer the key's name.</summary>
    Search = 5,

    /// <summary>Which training rows are in which fold: its layer is the stratum.</summary>
    Folds = 6,

    /// <summary>The rows of a member's bootstrap.</summary>
    Bootstrap = 7,

    /// <summary>The features that a member is given.</summary>
    Columns = 8,

    /// <summary>Which training rows a student's mixed rows lie between, and where: its step is the mixed row.</summary>
    Mixing = 9,
}
