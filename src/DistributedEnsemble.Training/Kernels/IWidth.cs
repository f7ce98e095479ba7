namespace DistributedEnsemble.Training.Kernels;

/// <summary>
/// Float32 arithmetic on as many numbers at once as a vector holds. A kernel is written once over it, and each width gives the
/// same bits: every operation is that of IEEE 754, element by element, and a fused multiply-add rounds once at every width.
/// </summary>
/// <typeparam name="TVector">A vector of float32, or one float32.</typeparam>
internal interface IWidth<TVector> where TVector : struct
{
    /// <summary>Numbers in a vector.</summary>
    static abstract int Count { get; }

    static abstract TVector Load(ref readonly float source);

    static abstract void Store(TVector vector, ref float target);

    /// <summary>The same number in every place.</summary>
    static abstract TVector Of(float value);

    static abstract TVector Add(TVector a, TVector b);

    static abstract TVector Subtract(TVector a, TVector b);

    static abstract TVector Multiply(TVector a, TVector b);

    static abstract TVector Divide(TVector a, TVector b);

    static abstract TVector SquareRoot(TVector a);

    /// <summary>a·b + c, rounded once.</summary>
    static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);

    /// <summary>All bits where a &lt; b, none elsewhere; none where one is not a number.</summary>
    static abstract TVector Less(TVector a, TVector b);

    /// <summary>The bits of <paramref name="yes"/> where the condition's are set, of <paramref name="no"/> elsewhere.</summary>
    static abstract TVector Select(TVector condition, TVector yes, TVector no);

    static abstract TVector And(TVector a, TVector b);

    /// <summary>Sums of the bits as integers.</summary>
    static abstract TVector AddBits(TVector a, TVector b);

    /// <summary>The bits moved to the left, as those of an integer.</summary>
    static abstract TVector ShiftLeft(TVector a, int count);

    /// <summary>The bits moved to the right, as those of a signed integer.</summary>
    static abstract TVector ShiftRight(TVector a, int count);
}
