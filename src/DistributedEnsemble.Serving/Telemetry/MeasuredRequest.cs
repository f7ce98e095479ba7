using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Serving.Telemetry;

/// <summary>Where the time of one request for predictions goes.</summary>
internal sealed class MeasuredRequest(TimeProvider time)
{
    public const string Answered = "ok", Refused = "refused";

    private readonly long _begun = time.GetTimestamp();
    private long _arrived, _read, _predicted;

    public TimeSpan Elapsed => time.GetElapsedTime(_begun);

    /// <summary>"ok", or that of <see cref="HttpFailure"/>.</summary>
    public string Outcome { get; set; } = Answered;

    /// <summary>Null before the model is known.</summary>
    public RunKey? Run { get; set; }

    public int Rows { get; private set; }

    /// <summary>From the body's last byte to its rows.</summary>
    public TimeSpan Reading => time.GetElapsedTime(_arrived, _read);

    /// <summary>From the prediction to the answer's last byte.</summary>
    public TimeSpan Writing { get; private set; }

    public void HasArrived() => _arrived = time.GetTimestamp();

    public void IsRead(int rows) => (_read, Rows) = (time.GetTimestamp(), rows);

    public void IsPredicted() => _predicted = time.GetTimestamp();

    public void IsWritten() => Writing = time.GetElapsedTime(_predicted);
}
