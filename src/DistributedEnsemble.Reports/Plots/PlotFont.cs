using ScottPlot;
using SkiaSharp;

namespace DistributedEnsemble.Reports.Plots;

/// <summary>Inter (The Inter Project Authors, SIL Open Font License 1.1), embedded: containers have no fonts, and plots look the same everywhere.</summary>
internal sealed class PlotFont : IFontResolver
{
    public const string Name = "Inter";

    private static readonly SKTypeface s_typeface = Load("Inter-Regular.otf");
    private static int s_isInstalled;

    /// <summary>Makes it the font of all plots of the process.</summary>
    public static void Install()
    {
        if (Interlocked.Exchange(ref s_isInstalled, 1) == 1) return;
        Fonts.FontResolvers.Insert(0, new PlotFont());
        Fonts.Default = Name;
    }

    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) =>
        fontName == Name ? s_typeface : null;

    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) => fontName == Name ? s_typeface : null;

    private static SKTypeface Load(string resource)
    {
        using var stream = typeof(PlotFont).Assembly.GetManifestResourceStream(resource)!;
        return SKTypeface.FromStream(stream);
    }
}
