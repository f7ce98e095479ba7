using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>Element by element in plain IEEE arithmetic, so that vectors of any width give the same bits.</summary>
internal static unsafe class Elementwise
{
    /// <summary>x ← max(x, 0).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rectify(float* x, nint length)
    {
        nint i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var value = Vector.Load(x + i);
            Vector.ConditionalSelect(Vector.LessThan(value, Vector<float>.Zero), Vector<float>.Zero, value).Store(x + i);
        }

        for (; i < length; i++) x[i] = x[i] < 0 ? 0 : x[i];
    }

    /// <summary>gradient ← 0 where y is not positive.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MaskByPositive(float* gradient, float* y, nint length)
    {
        nint i = 0;
        for (; Vector512.IsHardwareAccelerated && i <= length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var isPositive = Vector512.GreaterThan(Vector512.Load(y + i), Vector512<float>.Zero);
            (isPositive & Vector512.Load(gradient + i)).Store(gradient + i);
        }

        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var isPositive = Vector.GreaterThan(Vector.Load(y + i), Vector<float>.Zero);
            Vector.ConditionalSelect(isPositive, Vector.Load(gradient + i), Vector<float>.Zero).Store(gradient + i);
        }

        for (; i < length; i++) gradient[i] = y[i] > 0 ? gradient[i] : 0;
    }

    /// <summary>x ← x·y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* x, float* y, nint length)
    {
        nint i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count) (Vector.Load(x + i) * Vector.Load(y + i)).Store(x + i);
        for (; i < length; i++) x[i] *= y[i];
    }

    /// <summary>x ← x·factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(float* x, float factor, nint length)
    {
        nint i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count) (Vector.Load(x + i) * factor).Store(x + i);
        for (; i < length; i++) x[i] *= factor;
    }

    /// <summary>x ← x + y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* x, float* y, nint length)
    {
        nint i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count) (Vector.Load(x + i) + Vector.Load(y + i)).Store(x + i);
        for (; i < length; i++) x[i] += y[i];
    }

    /// <summary>target ← x·y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Product(float* x, float* y, float* target, nint length)
    {
        nint i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count) (Vector.Load(x + i) * Vector.Load(y + i)).Store(target + i);
        for (; i < length; i++) target[i] = x[i] * y[i];
    }

    /// <summary>sum ← sum + x·y, rounded twice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddProduct(float* sum, float* x, float* y, nint length)
    {
        nint i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count) (Vector.Load(sum + i) + Vector.Load(x + i) * Vector.Load(y + i)).Store(sum + i);
        for (; i < length; i++) sum[i] += x[i] * y[i];
    }

    /// <summary>sum ← sum + x·factor, rounded twice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaled(float* sum, float* x, float factor, nint length)
    {
        nint i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count) (Vector.Load(sum + i) + Vector.Load(x + i) * factor).Store(sum + i);
        for (; i < length; i++) sum[i] += x[i] * factor;
    }

    /// <summary>target ← x·factor + shift, rounded twice; max(that, 0) if it is rectified.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Adapt(float* x, float* factor, float* shift, float* target, nint length, bool isRectified)
    {
        nint i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var value = Vector.Load(x + i) * Vector.Load(factor + i) + Vector.Load(shift + i);
            if (isRectified) value = Vector.ConditionalSelect(Vector.LessThan(value, Vector<float>.Zero), Vector<float>.Zero, value);
            value.Store(target + i);
        }

        for (; i < length; i++)
        {
            var value = x[i] * factor[i] + shift[i];
            target[i] = isRectified && value < 0 ? 0 : value;
        }
    }

    /// <summary>The sum of a matrix' rows, added up in their order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SumRows(float* matrix, int rows, int columns, float* sum)
    {
        nint j = 0;
        for (; Vector512.IsHardwareAccelerated && j <= columns - Vector512<float>.Count; j += Vector512<float>.Count)
        {
            var column = Vector512<float>.Zero;
            for (nint i = 0; i < rows; i++) column += Vector512.Load(matrix + i * columns + j);
            column.Store(sum + j);
        }

        for (; j <= columns - Vector<float>.Count; j += Vector<float>.Count)
        {
            var column = Vector<float>.Zero;
            for (nint i = 0; i < rows; i++) column += Vector.Load(matrix + i * columns + j);
            column.Store(sum + j);
        }

        for (; j < columns; j++)
        {
            var column = 0f;
            for (nint i = 0; i < rows; i++) column += matrix[i * columns + j];
            sum[j] = column;
        }
    }
}
