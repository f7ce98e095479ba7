"""Predicts rows with an exported ensemble: `ensemble export R --format onnx`, then `python predict.py R.onnx rows.csv`.

Needs onnxruntime and numpy (pip install onnxruntime).
"""
import csv
import json
import sys

import numpy
import onnxruntime

TYPES = {"tensor(string)": object, "tensor(float)": numpy.float32, "tensor(double)": numpy.float64}

with open(sys.argv[2], newline="", encoding="utf-8") as file:
    names, *rows = csv.reader(file)
session = onnxruntime.InferenceSession(sys.argv[1])
inputs = session.get_inputs()
# A table's file names its columns: one for each input, or all for the only one. One of an older version has the inputs' names alone. Of images all cells are pixels.
columns = json.loads(session.get_modelmeta().custom_metadata_map.get("columns", "null")) or (None if len(inputs) == 1 else [given.name for given in inputs])
lacking = [column for column in columns or [] if column not in names]
if lacking:
    sys.exit(f"{sys.argv[2]} lacks the column {lacking[0]}.")
places = [names.index(column) for column in columns] if columns else range(len(names))


def value(given, places):
    """An empty cell is missing."""
    cells = [[row[place] for place in places] for row in rows]
    if given.type != "tensor(string)":
        cells = [[cell or "nan" for cell in row] for row in cells]
    return numpy.array(cells, dtype=object).astype(TYPES[given.type]).reshape(-1, *given.shape[1:])


outputs = [output.name for output in session.get_outputs()]
answers = session.run(outputs, {given.name: value(given, places if len(inputs) == 1 else [places[i]]) for i, given in enumerate(inputs)})
for i in range(len(rows)):
    print({name: answer[i].tolist() if hasattr(answer[i], "tolist") else answer[i] for name, answer in zip(outputs, answers)})
