namespace DistributedEnsemble.Training.Tests;

/// <summary>Gives a reader thousands of damaged variants of a good file; the same ones each time.</summary>
internal static class Fuzz
{
    private const int Variants = 4000;

    /// <summary>Fails if another exception than the documented one escapes.</summary>
    /// <returns>How many variants were read.</returns>
    public static int Run(byte[] good, Action<byte[]> read, Type documented)
    {
        read(good);
        uint state = 12345;
        for (var i = 0; i < Variants; i++)
        {
            var bytes = Damage(good, ref state);
            try
            {
                read(bytes);
            }
            catch (Exception e) when (e.GetType() == documented)
            {
                Assert.False(e.Message.Contains('\n', StringComparison.Ordinal), $"Variant {i} has an error of several lines: {e.Message}");
            }
            catch (Exception e)
            {
                Assert.Fail($"Variant {i} ({Convert.ToHexString(bytes)}) let {e} escape.");
            }
        }

        return Variants;
    }

    private static byte[] Damage(byte[] good, ref uint state)
    {
        var bytes = good.ToList();
        for (var edits = 1 + Next(ref state, 4); edits > 0 && bytes.Count > 0; edits--)
        {
            var place = Next(ref state, bytes.Count);
            switch (Next(ref state, 6))
            {
                case 0: bytes[place] = (byte)Next(ref state, 256); break;
                case 1: bytes[place] ^= (byte)(1 << Next(ref state, 8)); break;
                case 2: bytes.RemoveRange(place, bytes.Count - place); break;
                case 3: bytes.RemoveRange(place, Math.Min(1 + Next(ref state, 8), bytes.Count - place)); break;
                case 4: bytes.InsertRange(place, bytes.GetRange(place, Math.Min(16, bytes.Count - place))); break;
                default: bytes.Insert(place, "\",\n\r{}[]019-.eN\0\xff"u8[Next(ref state, 18)]); break;
            }
        }

        return [.. bytes];
    }

    private static int Next(ref uint state, int below)
    {
        state = (state * 1664525) + 1013904223;
        return (int)((state >> 8) % (uint)below);
    }
}
