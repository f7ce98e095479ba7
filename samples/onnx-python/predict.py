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
# Of a table the file knows the names of the columns: one for each input, or all for the only one. Of images all cells are pixels.
columns = json.loads(session.get_modelmeta().custom_metadata_map.get("columns", "null")) or names


def value(given, columns):
    """An empty cell is missing."""
    cells = [[row[names.index(column)] for column in columns] for row in rows]
    if given.type != "tensor(string)":
        cells = [[cell or "nan" for cell in row] for row in cells]
    return numpy.array(cells, dtype=object).astype(TYPES[given.type]).reshape(-1, *given.shape[1:])


outputs = [output.name for output in session.get_outputs()]
answers = session.run(outputs, {given.name: value(given, columns if len(inputs) == 1 else [columns[i]]) for i, given in enumerate(inputs)})
for i in range(len(rows)):
    print({name: answer[i].tolist() if hasattr(answer[i], "tolist") else answer[i] for name, answer in zip(outputs, answers)})
