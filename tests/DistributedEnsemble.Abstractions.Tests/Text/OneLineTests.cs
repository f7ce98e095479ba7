using DistributedEnsemble.Messages;

namespace DistributedEnsemble;

public sealed class OneLineTests
{
    [Theory]
    [InlineData("as it is", "as it is")]
    [InlineData("two\r\nlines\n", "two lines")]
    [InlineData("\n\tbegins late", "begins late")]
    [InlineData("red\u001b[31m bell\u0007!", "red [31m bell !")]
    [InlineData("line\u2028separator\u2029and\u0085next", "line separator and next")]
    [InlineData("right\u202eto\u2066left\u200bnone", "right to left none")]
    [InlineData("a whole one \ud83d\ude00", "a whole one \ud83d\ude00")]
    [InlineData("", "")]
    [InlineData(null, "")]
    public void What_a_terminal_would_obey_becomes_one_space(string? text, string line) => Assert.Equal(line, OneLine.Of(text));

    [Fact]
    public void Half_of_a_pair_is_not_shown() => Assert.Equal("half of a pair", OneLine.Of("half \ud83d of a pair"));

    [Fact]
    public void Every_character_of_an_answer_can_be_shown()
    {
        var all = string.Concat(Enumerable.Range(0, 0x10000).Select(c => (char)c));

        Assert.DoesNotContain(OneLine.Of(all), c => char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u202e');
    }

    [Fact]
    public void An_excerpt_ends_where_it_is_cut_and_never_within_a_character()
    {
        Assert.Equal($"{new string('x', 100)}…", OneLine.Excerpt(new string('x', 101)));
        Assert.Equal(new string('x', 100), OneLine.Excerpt(new string('x', 100)));
        Assert.Equal("ab…", OneLine.Of("ab\ud83d\ude00", 3));
    }

    [Fact]
    public void A_quoted_value_that_is_absent_is_the_word_null() =>
        Assert.Equal(("null", "\"a b\"", "\"abc…\""), (OneLine.Quoted(null), OneLine.Quoted("a\nb"), OneLine.Quoted("abcd", 3)));
}
