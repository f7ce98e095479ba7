using DistributedEnsemble.Serving.Answers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace DistributedEnsemble.Serving.Tests;

public sealed class JsonAnswerTests
{
    [Fact]
    public async Task A_long_answer_counts_until_it_is_sent_and_a_short_one_never()
    {
        using var admission = new Admission(new HttpSettings { MaxBytesInFlight = 100_000 });
        await using var services = new ServiceCollection().AddSingleton(admission).BuildServiceProvider();
        var (longOne, shortOne) = (JsonAnswer.OfText(new string(' ', 90_000)), JsonAnswer.OfText(new string(' ', 60_000)));
        using (var other = admission.Bytes())
        {
            other.Hold(60_000);

            var refused = await Assert.ThrowsAsync<HttpError>(() => ExecuteAsync(longOne));

            Assert.Equal((429, "Requests and answers of 100000 bytes are in memory, the most at once: ask again in a moment."), (refused.Status, refused.Message));
            Assert.Equal(60_000, await ExecuteAsync(shortOne));
        }

        Assert.Equal(90_000, await ExecuteAsync(longOne));
        // What there is no memory for is not made.
        var made = 0;
        var endless = JsonAnswer.Of(Enumerable.Range(0, 10_000_000).Select(_ => made++));
        Assert.Equal(413, (await Assert.ThrowsAsync<HttpError>(() => ExecuteAsync(endless))).Status);
        Assert.InRange(made, 10_000, 100_000);

        // All is given back.
        using var all = admission.Bytes();
        all.Hold(100_000);

        async Task<long> ExecuteAsync(JsonAnswer answer)
        {
            var context = new DefaultHttpContext { RequestServices = services };
            using var body = new MemoryStream();
            context.Response.Body = body;
            await answer.ExecuteAsync(context);
            await context.Response.BodyWriter.FlushAsync(TestContext.Current.CancellationToken);
            return body.Length;
        }
    }
}
