"""A client of another maker: Python's standard library, and numpy where it is there.

Usage: infer.py URL MODEL json|binary ROWS.bin; prints what the server said, for the test to compare.
"""
import json
import struct
import sys
import urllib.request

url, model, form, file = sys.argv[1:]
raw = open(file, "rb").read()
features = 64
rows = len(raw) // (4 * features)


def post(body, headers):
    request = urllib.request.Request(f"{url}/v2/models/{model}/infer", data=body, headers=headers)
    with urllib.request.urlopen(request) as response:
        return response.headers, response.read()


metadata = json.load(urllib.request.urlopen(f"{url}/v2/models/{model}"))
shape = [rows] + metadata["inputs"][0]["shape"][1:]
tensor = {"name": metadata["inputs"][0]["name"], "shape": shape, "datatype": metadata["inputs"][0]["datatype"]}

if form == "json":
    data = list(struct.unpack(f"<{rows * features}f", raw))
    body = json.dumps({"inputs": [{**tensor, "data": data}], "outputs": [{"name": "probabilities"}, {"name": "label"}]})
    _, answer = post(body.encode(), {"Content-Type": "application/json"})
    outputs = {output["name"]: output["data"] for output in json.loads(answer)["outputs"]}
else:
    import numpy
    numbers = numpy.frombuffer(raw, "<f4").reshape(shape)
    head = json.dumps({
        "inputs": [{**tensor, "parameters": {"binary_data_size": numbers.nbytes}}],
        "outputs": [{"name": name, "parameters": {"binary_data": True}} for name in ("probabilities", "label")],
    }).encode()
    headers, answer = post(head + numbers.tobytes(), {
        "Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))})
    length = int(headers["Inference-Header-Content-Length"])
    rest, outputs = answer[length:], {}
    for output in json.loads(answer[:length])["outputs"]:
        size = output["parameters"]["binary_data_size"]
        part, rest = rest[:size], rest[size:]
        if output["datatype"] == "FP32":
            outputs[output["name"]] = numpy.frombuffer(part, "<f4").tolist()
        else:
            texts = []
            while part:
                (count,) = struct.unpack("<I", part[:4])
                texts.append(part[4:4 + count].decode())
                part = part[4 + count:]
            outputs[output["name"]] = texts

print(json.dumps(outputs))
