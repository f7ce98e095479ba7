using System.Runtime.InteropServices;
using System.Text.Json;

namespace DistributedEnsemble.Serving.Metrics;

/// <summary>
/// The lines of one member's metrics.jsonl in columns, read on as the file grows: by one thread at a time, while others ask for what
/// has been read so far.
/// </summary>
internal sealed class MetricSeries
{
    /// <summary>Bytes of memory that a line takes.</summary>
    private const int BytesPerLine = (2 * sizeof(int)) + (3 * sizeof(float));

    /// <summary>Of the scores on the validation split, of one step.</summary>
    private const int BytesPerScores = 400;

    /// <summary>Of a line: what is longer is none that a member wrote.</summary>
    private const int LongestLine = 1 << 16;

    private readonly Lock _lock = new();
    private readonly List<int> _steps = [];
    private readonly List<float> _loss = [], _rate = [], _quality = [];
    private readonly List<ValidationPoint> _validation = [];
    private byte[] _rest = [];

    /// <summary>What the lines call the quality of a batch; null before the first line.</summary>
    public string? Measure { get; private set; }

    public int Count => _steps.Count;

    /// <summary>The bytes of the file that have been read.</summary>
    public long BytesRead { get; private set; }

    public int LastStep => Count == 0 ? 0 : _steps[^1];

    public long Bytes => ((long)Count * BytesPerLine) + ((long)_validation.Count * BytesPerScores);

    /// <summary>Reads what was written since the last time; whoever asks meanwhile does not wait for the file.</summary>
    /// <exception cref="InvalidDataException">A line is none.</exception>
    public void ReadOn(Stream file)
    {
        if (file.Length < BytesRead)
        {
            // Another run's file, or one that was restored.
            lock (_lock) Clear();
        }

        file.Position = BytesRead;
        var buffer = new byte[1 << 16];
        while (file.Read(buffer) is > 0 and var length)
        {
            lock (_lock)
            {
                BytesRead += length;
                Add(buffer.AsSpan(0, length));
            }
        }
    }

    /// <summary>Asks while no line is added.</summary>
    public T Ask<T>(Func<MetricSeries, T> ask)
    {
        lock (_lock) return ask(this);
    }

    /// <summary>Adds whole lines, as they stand in a file.</summary>
    /// <exception cref="InvalidDataException">A line is none.</exception>
    public void AddWhole(ReadOnlySpan<byte> lines)
    {
        while (lines.IndexOf((byte)'\n') is var end and >= 0)
        {
            if (end > 0) AddLine(lines[..end]);
            lines = lines[(end + 1)..];
        }
    }

    /// <summary>Bytes of a file that have not been read, or all of one that is another by now.</summary>
    public long Unread(long length) => length < BytesRead ? length : length - BytesRead;

    /// <summary>The lines of a range of steps, those of each <paramref name="width"/> steps as one point.</summary>
    /// <param name="width">At least 1.</param>
    public MetricPoints Between(int from, int to, int width)
    {
        var points = new MetricPoints();
        var steps = CollectionsMarshal.AsSpan(_steps);
        var first = steps.BinarySearch(from);
        for (var i = first < 0 ? ~first : first; i < steps.Length && steps[i] <= to;)
        {
            var (begin, bucket) = (i, (steps[i] - 1) / width);
            while (i < steps.Length && steps[i] <= to && (steps[i] - 1) / width == bucket) i++;
            points.Add(steps[i - 1], CollectionsMarshal.AsSpan(_loss)[begin..i], CollectionsMarshal.AsSpan(_quality)[begin..i], _rate[i - 1]);
        }

        return points;
    }

    /// <summary>Scores on the validation split within a range of steps: of each <paramref name="width"/> steps the last ones.</summary>
    /// <param name="width">At least 1.</param>
    public IEnumerable<ValidationPoint> ValidationBetween(int from, int to, int width)
    {
        for (var i = 0; i < _validation.Count; i++)
        {
            var step = _validation[i].Step;
            var isLast = i == _validation.Count - 1 || _validation[i + 1].Step > to || (_validation[i + 1].Step - 1) / width != (step - 1) / width;
            if (step >= from && step <= to && isLast) yield return _validation[i];
        }
    }

    private void Clear()
    {
        (BytesRead, _rest) = (0, []);
        foreach (var column in new[] { _loss, _rate, _quality }) column.Clear();
        _steps.Clear();
        _validation.Clear();
    }

    private void Add(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IndexOf((byte)'\n') is var end and >= 0 && _rest.Length > 0)
        {
            byte[] line = [.. _rest, .. bytes[..end]];
            _rest = [];
            AddLine(line);
            bytes = bytes[(end + 1)..];
        }

        var whole = bytes.LastIndexOf((byte)'\n') + 1;
        AddWhole(bytes[..whole]);
        if (_rest.Length + bytes.Length - whole > LongestLine)
        {
            _rest = [];
            throw new InvalidDataException($"A line has more than {LongestLine} bytes.");
        }

        if (whole < bytes.Length) _rest = [.. _rest, .. bytes[whole..]];
    }

    private void AddLine(ReadOnlySpan<byte> line)
    {
        var (step, loss, rate, quality) = (0, float.NaN, float.NaN, float.NaN);
        ValidationPoint? validation = null;
        var reader = new Utf8JsonReader(line);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("step"u8)) step = (int)Number(ref reader);
            else if (reader.ValueTextEquals("loss"u8)) loss = (float)Number(ref reader);
            else if (reader.ValueTextEquals("learningRate"u8)) rate = (float)Number(ref reader);
            else if (reader.ValueTextEquals("epoch"u8) || reader.ValueTextEquals("l2"u8)) reader.Skip();
            else if (reader.ValueTextEquals("validation"u8)) validation = ReadValidation(ref reader);
            else if (Measure is null || reader.ValueTextEquals(Measure))
            {
                var name = Measure ?? reader.GetString();
                reader.Read();
                if (reader.TokenType != JsonTokenType.Number) continue;
                (Measure, quality) = (name, reader.GetSingle());
            }
            else
            {
                reader.Skip();
            }
        }

        if (step <= LastStep) return;
        _steps.Add(step);
        _loss.Add(loss);
        _rate.Add(rate);
        _quality.Add(quality);
        if (validation is { } point) _validation.Add(point with { Step = step });
    }

    /// <summary>A diverged member's loss is no number in JSON.</summary>
    private static double Number(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.Number ? reader.GetDouble() : double.NaN;
    }

    private static ValidationPoint? ReadValidation(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) return null;
        var values = new Dictionary<string, double>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (reader.TokenType == JsonTokenType.Number) values[name] = reader.GetDouble();
            else reader.Skip();
        }

        return new ValidationPoint(0, values);
    }
}

/// <summary>How good a member is on the validation split at a step.</summary>
internal readonly record struct ValidationPoint(int Step, IReadOnlyDictionary<string, double> Values);

/// <summary>Points of a curve, in columns: each stands for the lines of some steps.</summary>
internal sealed class MetricPoints
{
    /// <summary>The last step of each point's lines.</summary>
    public List<int> Steps { get; } = [];

    /// <summary>The mean over the lines; null where none of them is a number.</summary>
    public List<float?> Loss { get; } = [];

    public List<float?> Low { get; } = [];

    public List<float?> High { get; } = [];

    /// <summary>At the last of the lines.</summary>
    public List<float?> LearningRate { get; } = [];

    public List<float?> Quality { get; } = [];

    internal void Add(int step, ReadOnlySpan<float> loss, ReadOnlySpan<float> quality, float rate)
    {
        Steps.Add(step);
        var (mean, low, high) = Summary(loss);
        Loss.Add(mean);
        Low.Add(low);
        High.Add(high);
        Quality.Add(Summary(quality).Mean);
        LearningRate.Add(float.IsFinite(rate) ? rate : null);
    }

    private static (float? Mean, float? Low, float? High) Summary(ReadOnlySpan<float> values)
    {
        var (sum, low, high, count) = (0.0, float.PositiveInfinity, float.NegativeInfinity, 0);
        foreach (var value in values)
        {
            if (!float.IsFinite(value)) continue;
            (sum, low, high, count) = (sum + value, Math.Min(low, value), Math.Max(high, value), count + 1);
        }

        return count == 0 ? (null, null, null) : ((float)(sum / count), low, high);
    }
}
