using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Training.Exports.Onnx;

/// <summary>Parts of a date, of its seconds since 1970, in double, whose whole numbers are exact. The year begins in March, so that a leap day ends it.</summary>
/// <param name="seconds">[rows, 1], double.</param>
internal sealed class OnnxCalendar(OnnxGraph graph, string seconds)
{
    private const double SecondsOfDay = 86400, DaysOfEra = 146097, YearsOfEra = 400;

    /// <summary>From the first of March of the year 0 to 1970.</summary>
    private const double DaysBefore1970 = 719468;

    private string? _days, _dayOfEra, _yearOfEra, _month;

    private string Days => _days ??= Whole(seconds, SecondsOfDay);

    private string DayOfEra => _dayOfEra ??= Rest(Add(Days, DaysBefore1970), DaysOfEra);

    private string YearOfEra => _yearOfEra ??= Whole(
        Minus(graph.Node("Add", [Minus(DayOfEra, Whole(DayOfEra, 1460)), Whole(DayOfEra, 36524)]), Whole(DayOfEra, 146096)), 365);

    /// <summary>0 is March.</summary>
    private string Month
    {
        get
        {
            if (_month is not null) return _month;
            var before = Minus(graph.Node("Add", [Times(YearOfEra, 365), Whole(YearOfEra, 4)]), Whole(YearOfEra, 100));
            return _month = Whole(Add(Times(Minus(DayOfEra, before), 5), 2), 153);
        }
    }

    /// <summary>1 in January and February, which belong to the next year.</summary>
    private string IsNextYear => Whole(Month, 10);

    /// <param name="part">year, month, weekday or hour.</param>
    public string Part(string part) => part switch
    {
        "year" => graph.Node("Add", [graph.Node("Add", [YearOfEra, Times(Whole(Add(Days, DaysBefore1970), DaysOfEra), YearsOfEra)]), IsNextYear]),
        "month" => Minus(Add(Month, 3), Times(IsNextYear, 12)),
        "weekday" => Rest(Add(Days, 3), 7),
        "hour" => Whole(Rest(seconds, SecondsOfDay), 3600),
        _ => throw new SpecException($"The part {part} of a date: ONNX knows nothing of it. Export this run as safetensors."),
    };

    private string Whole(string value, double divisor) => graph.Node("Floor", [graph.Node("Div", [value, graph.Constant([], divisor)])]);

    private string Rest(string value, double divisor) => Minus(value, Times(Whole(value, divisor), divisor));

    private string Times(string value, double factor) => graph.Node("Mul", [value, graph.Constant([], factor)]);

    private string Add(string value, double addend) => graph.Node("Add", [value, graph.Constant([], addend)]);

    private string Minus(string value, string subtrahend) => graph.Node("Sub", [value, subtrahend]);
}
