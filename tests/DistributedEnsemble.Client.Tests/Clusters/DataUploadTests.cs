using System.Reflection;
using DistributedEnsemble.Client.Clusters;
using DistributedEnsemble.Files;

namespace DistributedEnsemble.Client.Tests.Clusters;

public sealed class DataUploadTests
{
    [Theory]
    [InlineData(nameof(IUpload.BeginAsync))]
    [InlineData(nameof(IUpload.AppendAsync))]
    [InlineData(nameof(IUpload.CompleteAsync))]
    public async Task Whoever_does_not_want_to_wait_any_more_need_not_wherever_the_upload_hangs(string call)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("table.csv"), "a,target\n1,2\n");
        using var stop = new CancellationTokenSource();
        var silo = HungSilo.At(call);

        var sending = DataUpload.SendAsync(silo.Grains, $$"""{ "data": { "dataset": "{{folder.File("table.csv")}}" } }""", null, stop.Token);
        await silo.Hangs;
        Assert.False(sending.IsCompleted);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
    }

    /// <summary>Answers no call of one kind.</summary>
    public class HungSilo : DispatchProxy
    {
        private readonly TaskCompletionSource _hangs = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private string? _call;
        private IUpload? _upload;

        public IGrainFactory Grains { get; private set; } = null!;

        public Task Hangs => _hangs.Task;

        public static HungSilo At(string call)
        {
            var upload = Create<IUpload, HungSilo>();
            var silo = (HungSilo)(object)upload;
            silo._call = call;
            silo.Grains = Create<IGrainFactory, HungSilo>();
            ((HungSilo)(object)silo.Grains)._upload = upload;
            return silo;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (_upload is not null) return _upload;
            if (targetMethod!.Name == _call)
            {
                _hangs.TrySetResult();
                return targetMethod.ReturnType == typeof(Task) ? new TaskCompletionSource().Task : new TaskCompletionSource<long>().Task;
            }

            return targetMethod.ReturnType == typeof(Task) ? Task.CompletedTask : Task.FromResult(0L);
        }
    }
}
