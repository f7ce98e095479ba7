using DistributedEnsemble.Randomness;

namespace DistributedEnsemble.Training.Tests.Randomness;

public sealed class PhiloxTests
{
    /// <summary>The three lines "philox4x32 10" of Random123's kat_vectors: counter, key, result.</summary>
    [Theory]
    [InlineData("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8")]
    [InlineData("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd")]
    [InlineData("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1")]
    public void A_block_is_the_known_answer(string counter, string key, string answer)
    {
        var (c, k) = (Words(counter), Words(key));

        Assert.Equal(Words(answer), Block(k[0] | ((ulong)k[1] << 32), c[0], c[1], c[2], c[3]));
    }

    /// <summary>Lengths around every multiple of the vector path's 16 words, so that it ends, and hands over, everywhere.</summary>
    [Fact]
    public void Word_e_of_any_length_is_word_e_mod_4_of_block_e_over_4()
    {
        const ulong Key = 0x9E3779B97F4A7C15;
        const uint C1 = 0xFFFFFFFE, C2 = 0x80000001, C3 = 0xABCDEF01;
        uint[] expected = [.. Enumerable.Range(0, 40).SelectMany(block => Block(Key, (uint)block, C1, C2, C3))];
        for (var length = 0; length <= expected.Length; length++)
        {
            var words = new uint[length];
            Philox.Fill(Key, C1, C2, C3, words);
            Assert.Equal(expected[..length], words);
        }
    }

    [Fact]
    public void Filling_writes_nowhere_else_at_any_offset()
    {
        var whole = new uint[64];
        Philox.Fill(1, 2, 3, 4, whole);
        for (var offset = 0; offset < 17; offset++)
        {
            for (var length = 0; length < 40; length++)
            {
                var buffer = new uint[64];
                Philox.Fill(1, 2, 3, 4, buffer.AsSpan(offset, length));
                Assert.Equal(whole[..length], buffer[offset..(offset + length)]);
                Assert.All(buffer[..offset].Concat(buffer[(offset + length)..]), word => Assert.Equal(0u, word));
            }
        }
    }

    private static uint[] Block(ulong key, uint c0, uint c1, uint c2, uint c3)
    {
        var (w0, w1, w2, w3) = Philox.Block(key, c0, c1, c2, c3);
        return [w0, w1, w2, w3];
    }

    private static uint[] Words(string hex) => [.. hex.Split(' ').Select(word => Convert.ToUInt32(word, 16))];
}
