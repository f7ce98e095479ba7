using System.Text;
using DistributedEnsemble.Training.Files;
using ScottPlot;

namespace DistributedEnsemble.Reports.Plots;

/// <summary>A plot that is ready to be saved.</summary>
public sealed class Figure : IDisposable
{
    /// <summary>Pixels of a PNG for each unit of the plot.</summary>
    private const int Density = 2;

    private readonly int _width, _height;

    internal Figure(Plot plot, int width = 760, int height = 460) => (Plot, _width, _height) = (plot, width, height);

    internal Plot Plot { get; }

    /// <summary>Writes NAME.png and NAME.svg.</summary>
    public void Save(string folder, string name)
    {
        Write(Path.Combine(folder, $"{name}.svg"), Encoding.UTF8.GetBytes(Svg()));
        Plot.ScaleFactor = Density;
        Write(Path.Combine(folder, $"{name}.png"), Plot.GetImageBytes(Density * _width, Density * _height, ImageFormat.Png));
        Plot.ScaleFactor = 1;
    }

    /// <summary>
    /// As a drawing that a page can hold, and that becomes smaller where there is less room; where the font is missing, the reader's
    /// own takes its place.
    /// </summary>
    public string Svg() => Plot.GetSvgXml(_width, _height)
        .Replace($" width=\"{_width}\" height=\"{_height}\">", $" width=\"{_width}\" height=\"{_height}\" viewBox=\"0 0 {_width} {_height}\">", StringComparison.Ordinal)
        .Replace($"font-family=\"{PlotFont.Name}\"", $"font-family=\"{PlotFont.Name}, Helvetica, Arial, sans-serif\"", StringComparison.Ordinal)
        // Maps are pictures of one pixel a cell, which viewers would smooth.
        .Replace("<image ", "<image style=\"image-rendering:pixelated\" ", StringComparison.Ordinal);

    public void Dispose() => Plot.Dispose();

    private static void Write(string path, byte[] bytes) => AtomicFile.Write(path, stream => stream.Write(bytes));
}
