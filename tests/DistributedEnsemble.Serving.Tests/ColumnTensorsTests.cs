using System.Collections.Immutable;
using System.Text;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Serving.Inference;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Serving.Tests;

public class ColumnTensorsTests
{
    private static readonly ServedModel s_mixed = Model(new("age", ServedColumn.Number), new("town", ServedColumn.Text));
    private static readonly ServedModel s_numbers = Model(new("a", ServedColumn.Number), new("b", ServedColumn.Number));

    [Fact]
    public void Each_column_is_an_input_and_a_missing_cell_is_null_or_empty()
    {
        var request = Read(s_mixed, """
            {"parameters":{"content_type":"pd"},"inputs":[
              {"name":"town","datatype":"BYTES","shape":[3,1],"parameters":{"content_type":"str"},"data":["york","",null]},
              {"name":"age","datatype":"FP64","shape":[3],"data":[1.5,null,1700000001]},
              {"name":"extra","datatype":"INT64","shape":[3,1],"data":[[1],[2],[3]]}]}
            """);

        Assert.Equal(3, request.RowCount);
        Assert.Equal(["york", "", ""], request.Columns[0].Texts);
        Assert.Equal([1.5, double.NaN, 1700000001], request.Columns[1].Numbers);
        Assert.Equal([1.0, 2, 3], request.Columns[2].Numbers);
    }

    [Fact]
    public void Columns_come_behind_the_json_too()
    {
        const string Json = """{"inputs":[{"name":"age","datatype":"INT32","shape":[2,1],"parameters":{"binary_data_size":8}},{"name":"town","datatype":"BYTES","shape":[2,1],"parameters":{"binary_data_size":12}}]}""";
        byte[] body = [.. Encoding.UTF8.GetBytes(Json), .. BitConverter.GetBytes(7), .. BitConverter.GetBytes(-1), .. BitConverter.GetBytes(4), .. "hull"u8, .. BitConverter.GetBytes(0)];

        var request = InferRequestReader.Read(s_mixed, new HttpSettings(), body, Json.Length);

        Assert.Equal([7.0, -1], request.Columns[0].Numbers);
        Assert.Equal(["hull", ""], request.Columns[1].Texts);
    }

    [Fact]
    public void A_table_of_numbers_takes_all_of_a_row_in_one_input_too()
    {
        var request = Read(s_numbers, """{"inputs":[{"name":"input","datatype":"FP32","shape":[1,2],"data":[1,2]}]}""");
        Assert.Equal((1, 0), (request.RowCount, request.Columns.Length));
        Assert.Equal([1f, 2], request.Rows);
        Assert.Equal(2, Read(s_numbers, """{"inputs":[{"name":"a","datatype":"FP32","shape":[2],"data":[1,2]},{"name":"b","datatype":"FP32","shape":[2],"data":[1,2]}]}""").RowCount);
    }

    /// <summary>What the metadata call the input of all numbers a column may be called as well.</summary>
    [Fact]
    public void All_of_a_row_is_one_input_also_where_a_column_has_its_name()
    {
        var model = Model(new("a", ServedColumn.Number), new("input", ServedColumn.Number));

        Assert.Equal([1f, 2], Read(model, """{"inputs":[{"name":"input","datatype":"FP32","shape":[1,2],"data":[1,2]}]}""").Rows);
        Assert.Equal(2, Read(model, """{"inputs":[{"name":"input","datatype":"FP32","shape":[1],"data":[1]},{"name":"a","datatype":"FP32","shape":[1],"data":[1]}]}""").Columns.Length);
        Assert.Single(Read(Model(new ServedColumn("input", ServedColumn.Number)), """{"inputs":[{"name":"input","datatype":"FP64","shape":[1],"data":[1]}]}""").Columns);
    }

    [Theory]
    [InlineData("""{"inputs":[{"name":"age","data":[1]}]}""", "The request lacks the input \"town\": this model takes one for each column: \"age\", \"town\". Cells may be missing (null or \"\"), columns not.")]
    [InlineData("""{"inputs":[{"name":"age","data":[1]},{"name":"twon","data":["a"]}]}""", "The request lacks the input \"town\", and has \"twon\", which the model does not know: this model takes one for each column: \"age\", \"town\". Cells may be missing (null or \"\"), columns not.")]
    [InlineData("""{"inputs":[{"name":"age","datatype":"FOO","data":[1]}]}""", "inputs[0] (\"age\") has the datatype \"FOO\": a column is BYTES, BOOL, FP64, FP32, FP16, or INT and UINT of 8 to 64 bits.")]
    [InlineData("""{"inputs":[{"name":"age","data":[1]},{"name":"town","data":["a","b"]}]}""", "The input \"town\" has 2 rows, and \"age\" has 1: they must agree.")]
    [InlineData("""{"inputs":[{"name":"age","data":[1]},{"name":"age","data":[1]}]}""", "The input \"age\" is given twice: keep one of the two.")]
    [InlineData("""{"inputs":[{"name":"age","shape":[2,1],"data":[1]}]}""", "inputs[0] (\"age\") has the shape [2, 1] and 1 cell: a column is [rows, 1] or [rows].")]
    [InlineData("""{"inputs":[{"name":"age","data":[{}]}]}""", "inputs[0].data holds an object: a cell is a number, a text or null.")]
    [InlineData("""{"inputs":[{"data":[1]}]}""", "inputs[0] has no name: it is that of a column.")]
    [InlineData("""{"inputs":[{"name":"age","data":[]}]}""", "inputs[0] (\"age\") has no rows: it needs at least one.")]
    [InlineData("""{"inputs":[]}""", "The request has no inputs: it needs one for each column: \"age\", \"town\".")]
    public void What_is_no_column_is_told(string json, string error) => Assert.Equal(error, Assert.Throws<HttpError>(() => Read(s_mixed, json)).Message);

    [Fact]
    public void Truths_are_texts_in_json_and_behind_it()
    {
        Assert.Equal(["true", "false"], Read(s_mixed, """{"inputs":[{"name":"age","data":[1,2]},{"name":"town","datatype":"BOOL","data":[true,false]}]}""").Columns[1].Texts);

        const string Json = """{"inputs":[{"name":"age","data":[1,2]},{"name":"town","datatype":"BOOL","shape":[2,1],"parameters":{"binary_data_size":2}}]}""";
        Assert.Equal(["true", "false"], InferRequestReader.Read(s_mixed, new HttpSettings(), (byte[])[.. Encoding.UTF8.GetBytes(Json), 1, 0], Json.Length).Columns[1].Texts);
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("1")]
    [InlineData("null")]
    public void A_long_column_is_refused_before_it_is_read_to_its_end(string cell)
    {
        // Never closed: whoever reads on finds that it is cut short.
        var json = $$"""{"inputs":[{"name":"town","data":[{{string.Join(',', Enumerable.Repeat(cell, 101))}}""";
        var refused = Assert.Throws<HttpError>(() => InferRequestReader.Read(s_mixed, new HttpSettings { MaxRows = 100 }, Encoding.UTF8.GetBytes($"{json},{cell},"), null));
        Assert.Equal((413, "inputs[0] has more than 100 rows: one request takes up to 100."), (refused.Status, refused.Message));
    }

    [Theory]
    [InlineData("BYTES", 4)]
    [InlineData("FP64", 8)]
    [InlineData("INT8", 1)]
    public void A_long_column_behind_the_json_is_refused_too(string datatype, int size)
    {
        var json = $"{{\"inputs\":[{{\"name\":\"town\",\"datatype\":\"{datatype}\",\"parameters\":{{\"binary_data_size\":{101 * size}}}}}]}}";
        var refused = Assert.Throws<HttpError>(() => InferRequestReader.Read(
            s_mixed, new HttpSettings { MaxRows = 100 }, (byte[])[.. Encoding.UTF8.GetBytes(json), .. new byte[101 * size]], json.Length));
        Assert.Equal("inputs[0] has more than 100 rows: one request takes up to 100.", refused.Message);
    }

    [Theory]
    [InlineData("1", 8)]
    [InlineData("null", 8)]
    [InlineData("\"\"", 40)]
    [InlineData("\"ab\"", 44)]
    public void Memory_for_cells_is_told_before_it_is_taken(string cell, int bytes)
    {
        const int Rows = 10_000;
        var column = string.Join(',', Enumerable.Repeat(cell, Rows));
        var json = $$"""{"inputs":[{"name":"age","data":[{{column}}]},{"name":"town","data":[{{column}}]}]}""";
        var told = 0L;

        var request = InferRequestReader.Read(s_mixed, new HttpSettings(), Encoding.UTF8.GetBytes(json), null, more => told += more);

        Assert.Equal(2L * Rows * bytes, request.RowBytes);
        Assert.InRange(told, request.RowBytes - (1 << 16), request.RowBytes);
        // With no more room than for one column the second is not read.
        var (room, isFull) = (Rows * (long)bytes, false);
        Assert.Throws<OutOfRoomException>(() => InferRequestReader.Read(s_mixed, new HttpSettings(), Encoding.UTF8.GetBytes(json), null, more =>
        {
            Assert.False(isFull);
            isFull = (room -= more) < 0;
            if (isFull) throw new OutOfRoomException();
        }));
    }

    private static InferRequest Read(ServedModel model, string json) => InferRequestReader.Read(model, new HttpSettings(), Encoding.UTF8.GetBytes(json), null);

    private static ServedModel Model(params ImmutableArray<ServedColumn> columns) =>
        new([columns.Length], "classification", [new OutputDescription("probabilities", "FP32", ["a", "b"])], 1)
        {
            Columns = columns, MemberOutputs = [new OutputDescription("probabilities", "FP32", ["a", "b"])], Size = new PredictionSize(columns.Length, 2, PredictionSource.Final, "all", 1, 0),
        };

    private sealed class OutOfRoomException : Exception;
}
