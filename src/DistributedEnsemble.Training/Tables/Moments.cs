namespace DistributedEnsemble.Training.Tables;

/// <summary>
/// Mean, deviation and range of numbers in the order in which they come, in double (Welford, 1962): the mean of equal numbers
/// is that number, and their deviation 0.
/// </summary>
internal sealed class Moments
{
    private double _squares;

    public long Count { get; private set; }
    public double Mean { get; private set; }
    public double Least { get; private set; } = double.PositiveInfinity;
    public double Greatest { get; private set; } = double.NegativeInfinity;

    /// <summary>√(Σ(x−mean)²/n), or 1 where that is 0: a number to divide by.</summary>
    public double Deviation => Math.Sqrt(_squares / Count) is > 0 and var deviation ? deviation : 1;

    public Moments Copy() => (Moments)MemberwiseClone();

    public bool Varies => Greatest > Least;

    /// <summary>Whether mean and deviation are numbers.</summary>
    public bool AreFinite => double.IsFinite(Mean) && double.IsFinite(_squares);

    public void Add(double number)
    {
        Count++;
        var difference = number - Mean;
        Mean += difference / Count;
        _squares += difference * (number - Mean);
        Least = Math.Min(Least, number);
        Greatest = Math.Max(Greatest, number);
    }
}
