using System.Text;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Serving.Inference;

namespace DistributedEnsemble.Serving.Tests;

/// <summary>Whatever comes in is read or refused, and costs no more memory than a small multiple of its own bytes.</summary>
public sealed class InferRequestFuzzTests
{
    private static readonly ServedModel s_model = ServedModels.Of([1, 2, 3], ["a", "b"], 3);
    private static readonly HttpSettings s_limits = new();

    private static readonly byte[][] s_seeds =
    [
        Encoding.UTF8.GetBytes("""{"id":"1","inputs":[{"name":"input","shape":[2,1,2,3],"datatype":"FP32","data":[1,2,3,4,5,6,7,8,9,10,11,12]}],"outputs":[{"name":"label"}]}"""),
        Encoding.UTF8.GetBytes("""{"parameters":{"from":"final","members":2,"calibrated":true},"inputs":[{"name":"input","datatype":"FP32","data":[[[[1,2e3,-3],[4,5,6]]]],"shape":[1,1,2,3]}]}"""),
        [.. Encoding.UTF8.GetBytes(BinaryJson), .. new byte[24]],
    ];

    private static readonly string[] s_tokens =
        ["{", "}", "[", "]", ",", ":", "\"", "null", "true", "1e999", "-0", "9223372036854775807", "4294967296", "\"data\":[", "\"shape\":[", "\"binary_data_size\":", "\\ud800", "\0", "é"];

    private const string BinaryJson = """{"inputs":[{"name":"input","shape":[1,1,2,3],"datatype":"FP32","parameters":{"binary_data_size":24}}],"outputs":[{"name":"entropy","parameters":{"binary_data":true}}]}""";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Mutated_requests_are_read_or_refused_in_memory_that_they_paid_for(int seed)
    {
        var random = new Random(seed);
        var read = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var which = random.Next(s_seeds.Length);
            var body = s_seeds[which].ToList();
            for (var n = random.Next(0, 6); n > 0 && body.Count > 0; n--) Mutate(random, body);
            int? jsonLength = which == 2 || random.Next(4) == 0 ? (random.Next(3) > 0 ? BinaryJson.Length : random.Next(-5, 400)) : null;
            if (TryRead([.. body], jsonLength)) read++;
        }

        Assert.InRange(read, 1000, 20_000);
    }

    [Fact]
    public void A_body_that_claims_much_and_holds_little_allocates_little()
    {
        string[] claims =
        [
            """{"inputs":[{"name":"input","shape":[16384,1,2,3],"datatype":"FP32","data":[1]}]}""",
            """{"inputs":[{"name":"input","datatype":"FP32","data":[1],"shape":[16384,1,2,3]}]}""",
            """{"inputs":[{"name":"input","shape":[16384,1,2,3],"datatype":"FP32","parameters":{"binary_data_size":393216}}]}""",
        ];
        foreach (var claim in claims) Assert.False(TryRead(Encoding.UTF8.GetBytes(claim), null));
    }

    private static bool TryRead(byte[] body, int? jsonLength)
    {
        // Exceptions with their traces, and the texts of errors, cost a constant. A garbage collection that other threads cause
        // takes the rest of this thread's block and counts it as allocated: then another reading says what it costs.
        const int readings = 3;
        var most = 64_000 + (16L * body.Length);
        for (var reading = 1; ; reading++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var isRead = IsRead(body, jsonLength);
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > most && reading < readings) continue;
            Assert.InRange(allocated, 0, most);
            return isRead;
        }
    }

    private static bool IsRead(byte[] body, int? jsonLength)
    {
        try
        {
            InferRequestReader.Read(s_model, s_limits, body, jsonLength);
            return true;
        }
        catch (HttpError error)
        {
            Assert.InRange(error.Status, 400, 499);
            Assert.DoesNotContain('\n', error.Message);
            return false;
        }
    }

    private static void Mutate(Random random, List<byte> body)
    {
        var at = random.Next(body.Count);
        switch (random.Next(6))
        {
            case 0: body[at] ^= (byte)(1 << random.Next(8)); break;
            case 1: body[at] = (byte)random.Next(256); break;
            case 2: body.RemoveRange(at, Math.Min(random.Next(1, 20), body.Count - at)); break;
            case 3: body.InsertRange(at, Encoding.UTF8.GetBytes(s_tokens[random.Next(s_tokens.Length)])); break;
            case 4: body.InsertRange(at, body.GetRange(at, Math.Min(random.Next(1, 30), body.Count - at))); break;
            default: body.RemoveRange(at, body.Count - at); break;
        }
    }
}
