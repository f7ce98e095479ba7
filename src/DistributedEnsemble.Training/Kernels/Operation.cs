using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>
/// A layer on kernels of our own, with the working memory that one thread needs for it: what it keeps of a pass forward stays
/// until the pass backward.
/// </summary>
/// <param name="width">Numbers that it gives for each row.</param>
public abstract unsafe class Operation(int width)
{
    /// <summary>Numbers that it gives for each row.</summary>
    public int Width { get; } = width;

    /// <summary>What forward gave, [rows, width].</summary>
    public float* Outputs { get; protected set; }

    /// <summary>Whether the outputs take the place of the inputs, and the inputs' gradient that of the outputs'.</summary>
    public virtual bool IsInPlace => false;

    /// <summary>Whether a pass forward leaves the inputs as they are: then they may be anybody's. Null leaves it to the operation that is given its outputs, which they are.</summary>
    internal virtual bool? KeepsInputs => false;

    /// <summary>What a pass asked for, for parts that threads do.</summary>
    private protected Asked Work { get; private set; }

    /// <summary>Sets <see cref="Outputs"/> and what they hold.</summary>
    /// <param name="inputs">[rows, …].</param>
    public abstract void Forward(Pass pass, float* inputs);

    /// <summary>Sets the gradient of its weights, and that of the inputs.</summary>
    /// <param name="inputs">Those that forward had.</param>
    /// <param name="gradient">That of the outputs.</param>
    /// <param name="inputGradient">Null where nobody asks for it.</param>
    public abstract void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient);

    /// <summary>Lets threads do the parts of what was asked for, which they find in <see cref="Work"/>.</summary>
    /// <param name="elements">How much there is to do.</param>
    /// <param name="work">Is given a part and their number: a delegate that is made once.</param>
    private protected void Share(Action<int, int> work, long elements, Pass pass, float* inputs, float* gradient = null, float* inputGradient = null)
    {
        Work = new Asked { Pass = pass, Inputs = inputs, Gradient = gradient, InputGradient = inputGradient };
        pass.Run(elements, work);
    }

    /// <summary>The arguments of <see cref="Forward"/> or <see cref="Backward"/>.</summary>
    private protected struct Asked
    {
        public Pass Pass;
        public float* Inputs, Gradient, InputGradient;
    }
}

/// <summary>Builds a layer's operation.</summary>
public delegate Operation OperationBuilder(OperationPlace place);

/// <summary>Where an operation is built: what it takes its memory from, and what comes before it.</summary>
/// <param name="Rows">The most that a pass has.</param>
/// <param name="IsTrained">Whether it also goes backward.</param>
/// <param name="Threads">Parts that work may be done in.</param>
/// <param name="Before">What gives the inputs; null at the beginning of a chain.</param>
public sealed record OperationPlace(WorkingMemory Memory, int Rows, bool IsTrained, int Threads = 1, Operation? Before = null);

/// <summary>What a pass through the network works with.</summary>
public sealed unsafe class Pass
{
    private readonly Team _team;
    private readonly float* _scratch;

    internal Pass(Team team, WorkingMemory memory)
    {
        _team = team;
        _scratch = memory.Take((long)team.Threads * MatrixProduct.Scratch);
        Product = new TeamProduct(this);
    }

    /// <summary>Rows from here on: samples of Monte-Carlo dropout make them more.</summary>
    public int Rows { get; set; }

    /// <summary>The flat vectors.</summary>
    public float* Parameters { get; internal set; }

    /// <inheritdoc cref="Parameters"/>
    public float* Statistics { get; internal set; }

    /// <summary>That of the parameters.</summary>
    public float* Gradient { get; internal set; }

    /// <summary>Whether dense layers' parameters were arranged in <see cref="Panels"/>.</summary>
    internal bool ArePanels { get; set; }

    public Noise Noise { get; internal set; } = Noise.None;

    /// <summary>A product that all threads compute.</summary>
    internal TeamProduct Product { get; }

    /// <summary>Does the parts of some work, each on a thread; what one writes is no other's to read or write.</summary>
    /// <param name="elements">How much there is to do: with little, one thread does all.</param>
    internal void Run(long elements, Action<int, int> work) => _team.RunParts(elements, work);

    /// <summary>For products of a part; free between two operations.</summary>
    internal float* Scratch(int part) => _scratch + (nint)part * MatrixProduct.Scratch;
}
