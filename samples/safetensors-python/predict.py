#!/usr/bin/env python3
"""Predicts with an export of `ensemble export R --output DIR`; needs numpy and nothing else.

    python3 samples/safetensors-python/predict.py DIR rows.csv > out.csv

Prints what `ensemble predict R --input rows.csv` prints into a pipe, and shows how little an export takes to be used:
safetensors are a header and a buffer, data.json says how raw numbers become inputs, and manifest.json which layers make
scores of them and which models are averaged. It reads the layers of the built-in mlp, tabm, lenet and resnet, and rows as
text, packed or not. Of a run that averages over dropout masks it prints what `ensemble predict R --mc 0` does: masks take
the random numbers of the run.
"""
import codecs
import csv
import gzip
import io
import json
import re
import struct
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np


def read_safetensors(path):
    """Named float32 arrays: a little-endian length, that many bytes of JSON, then the data."""
    raw = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header, data = json.loads(raw[8:8 + length]), raw[8 + length:]
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] != "F32":
            sys.exit(f"{path}: {name} is {entry['dtype']}, and this reader knows F32 alone.")
        begin, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
    return tensors


class Layers:
    """Hands out the tensors of one layer after another: layers.N counts the layers that own some."""

    def __init__(self, tensors):
        self.tensors, self.number = tensors, -1

    def next(self):
        self.number += 1
        prefix = f"layers.{self.number}."
        return {name[len(prefix):]: tensor for name, tensor in self.tensors.items() if name.startswith(prefix)}


def embedding(x, layer, layers):
    """A vector in the place of each index of a level; the other inputs come first."""
    w, inputs = layers.next(), layer["inputs"]
    rest = np.delete(x, [i["place"] for i in inputs], 1)
    return np.concatenate([rest] + [w[f"weight{n}"][x[:, i["place"]].astype(int)] for n, i in enumerate(inputs)], 1)


def select_inputs(x, layer, layers):
    """The features that this member is given."""
    return x[:, layer["places"]]


def dense(x, layer, layers):
    w = layers.next()
    return x @ w["weight"].T + w["bias"]


def piecewise_linear(x, layer, layers):
    """A vector in the place of each number: a line, and bins that rise from their lower edge to the upper; the first and last go on."""
    w, inputs, parts = layers.next(), layer["inputs"], []
    for n, number in enumerate(inputs):
        value, edges = x[:, number["place"], None], np.float32(number["edges"])
        shares = (value - edges[:-1]) / (edges[1:] - edges[:-1])
        shares[:, 1:] = np.maximum(shares[:, 1:], 0)
        shares[:, :-1] = np.minimum(shares[:, :-1], 1)
        parts.append(value * w["slope"][n] + w["bias"][n] + shares @ w[f"weight{n}"])
    return np.concatenate([np.delete(x, [number["place"] for number in inputs], 1)] + parts, 1)


def adapted_dense(x, layer, layers):
    """The weights of all submodels, [submodels, ...]: what goes in and what comes out is multiplied by numbers of each submodel's own."""
    w = layers.next()
    x = x[:, None] if x.ndim == 2 else x
    return (x * w["inputs"]) @ w["weight"].T * w["outputs"] + w["bias"]


def separate_dense(x, layer, layers):
    w = layers.next()
    return np.einsum("nsf,suf->nsu", x, w["weight"], optimize=True) + w["bias"]


def convolution(x, layer, layers):
    """Weight [filters, channels, size, size]."""
    w, p, size, stride = layers.next(), layer["padding"], layer["size"], layer["stride"]
    x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(2, 3))[:, :, ::stride, ::stride]
    y = np.einsum("nchwij,fcij->nfhw", windows, w["weight"], optimize=True)
    return y + w["bias"][:, None, None] if "bias" in w else y


def batch_norm(x, layer, layers):
    """With the running statistics of training, per channel."""
    w = {name: tensor.reshape(-1, *[1] * (x.ndim - 2)) for name, tensor in layers.next().items()}
    return (x - w["running_mean"]) / np.sqrt(w["running_var"] + np.float32(1e-5)) * w["weight"] + w["bias"]


def residual(x, layer, layers):
    """relu(F(x) + x); where F halves the image or adds channels, x is every second pixel, then channels of zeros."""
    channels, stride = layer["channels"], layer["stride"]
    y = convolution(x, {"padding": 1, "size": 3, "stride": stride}, layers)
    y = np.maximum(batch_norm(y, layer, layers), 0)
    y = batch_norm(convolution(y, {"padding": 1, "size": 3, "stride": 1}, layers), layer, layers)
    x = x[:, :, ::stride, ::stride]
    return np.maximum(y + np.pad(x, ((0, 0), (0, channels - x.shape[1]), (0, 0), (0, 0))), 0)


def max_pool(x, *_):
    """The maximum of each 2x2 square; an odd row or column at the end is left out."""
    n, c, h, w = x.shape
    return x[:, :, :h // 2 * 2, :w // 2 * 2].reshape(n, c, h // 2, 2, w // 2, 2).max((3, 5))


def pad_image(x, layer, _):
    """Zeros around images that are smaller, the odd one below and to the right."""
    rows, columns = (max(0, layer["size"] - side) for side in x.shape[2:])
    return np.pad(x, ((0, 0), (0, 0), (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)))


def dropout(x, layer, _):
    """At test time vanilla dropout multiplies by the keep probability, inverted dropout does nothing."""
    return x * np.float32(1 - layer["rate"]) if layer["kind"] == "vanilla" else x


FUNCTIONS = {
    "embedding": embedding,
    "piecewiseLinear": piecewise_linear,
    "selectInputs": select_inputs,
    "dense": dense,
    "adaptedDense": adapted_dense,
    "separateDense": separate_dense,
    "convolution": convolution,
    "batchNorm": batch_norm,
    "residual": residual,
    "maxPool": max_pool,
    "padImage": pad_image,
    "dropout": dropout,
    "relu": lambda x, *_: np.maximum(x, 0),
    "channelMean": lambda x, *_: x.mean((2, 3)),
    "flatten": lambda x, *_: x.reshape(len(x), -1),
}


def scores(x, tensors, description):
    layers = Layers(tensors)
    for layer in description:
        if layer["layer"] not in FUNCTIONS:
            sys.exit(f"This reader knows no layer {layer['layer']!r}; it knows {', '.join(sorted(FUNCTIONS))}.")
        x = FUNCTIONS[layer["layer"]](x, layer, layers)
    return x


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


class Refused(ValueError):
    """A cell that is not what its column wants."""


MISSING_WORDS = ("na", "n/a", "n.a.", "nan", "nat", "null", "none", "<na>", "inf", "-inf")
MISSING_SIGNS = ("", "?", "-", "--", ".", "#N/A", "#DIV/0!", "#NUM!", "#VALUE!", "#REF!", "#NAME?", "#NULL!", "Infinity", "-Infinity")


def is_missing(cell):
    return cell.strip() in MISSING_SIGNS or cell.strip().lower() in MISSING_WORDS


def number(cell, decimal):
    """With signs of thousands, currency and percent, as people write them; (12) is -12."""
    digits = re.sub(r"^\((.*)\)$", r"-\1", cell.strip().replace("\u2212", "-"))
    digits = re.sub(r"^([-+]?)\s*(?:[$€£¥₹]|USD|EUR|GBP|CHF)?\s*|(?:\s*(?:[$€£¥₹%]|USD|EUR|GBP|CHF))+$", r"\1", digits)
    for sign in ",. '_\u00a0\u202f\u2009’".replace(decimal, ""):
        digits = digits.replace(sign, "")
    try:
        return float(digits.replace(decimal, "."))
    except ValueError:
        raise Refused("is not a number") from None


MAGNITUDES = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "bn": 1e9}


def short_number(cell, decimal):
    """A number that may be written short: 12k, €1.5M."""
    digits, letters = re.fullmatch(r"(.*?)\s*(k|K|M|B|bn)?", cell.strip()).groups()
    return number(digits, decimal) * MAGNITUDES.get(letters, 1)


def encode_number(column, cell, decimal):
    """(x - mean) / deviation in double; a missing one is the mean, and says so where training rows lack some."""
    missing = is_missing(cell) or cell.strip() in column.get("words", ())
    if column.get("unit"):
        cell = cell.strip().removesuffix(column["unit"])
    read = short_number if column.get("short") else number
    value = 0.0 if missing else (read(cell, decimal) - column["mean"]) / column["deviation"]
    return [value] + ([float(missing)] if column["missing"] else [])


def encode_category(column, cell, _):
    """An input for each level, or the level's index where the network has a vector for each."""
    levels, cell = column["levels"], cell.strip()
    if cell not in levels and cell in ("true", "True", "TRUE", "false", "False", "FALSE"):
        cell = next((level for level in levels if level.lower() == cell.lower()), cell)
    other = len(levels) + column["missing"]
    place = (len(levels) if column["missing"] else other) if is_missing(cell) else levels.index(cell) if cell in levels else other
    if column.get("vector"):
        return [place]
    return [float(i == place) for i in range(other + column["other"])]


TIMES = ["", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p"]
DATES = {form: [day + time for day in days for time in TIMES] for form, days in {
    "year-month-day": ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m"],
    "day.month.year": ["%d.%m.%Y", "%d.%m.%y"],
    "day/month/year": ["%d/%m/%Y", "%d-%m-%Y"],
    "month/day/year": ["%m/%d/%Y", "%m-%d-%Y"],
    "day month year": ["%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%d-%b-%y"],
    "month day, year": ["%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%b-%d-%Y"],
    "month year": ["%b %Y", "%B %Y", "%b-%Y", "%b-%y"],
}.items()} | {"hour:minute": ["%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p"]}

PERIODS = {"year quarter": r"(\d{4})[- ]*Q([1-4])|Q([1-4])[- ](\d{4})", "year week": r"(\d{4})[- ]*W(\d\d?)|W(\d\d?)[- ](\d{4})"}


DURATIONS = {"hours:minutes": r"(\d{1,4}):([0-5]\d)()", "hours:minutes:seconds": r"(?:(\d{1,4}):(?=[0-5]?\d:))?(\d{1,4}):([0-5]\d)"}


def date(cell, form, decimal):
    """In the form of the column, or as ISO 8601 has it; in UTC, which is also the zone of a time that names none."""
    text = re.sub(r"(\.\d{6})\d+", r"\1", cell.strip())
    if (duration := DURATIONS.get(form)) and (found := re.fullmatch(duration, text)):
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return datetime(1, 1, 1, tzinfo=timezone.utc) + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if form == "yearmonthday" and not re.fullmatch(r"\d{4}-.*", text):
        try:
            return datetime.strptime(f"{number(text, decimal):.15g}", "%Y%m%d").replace(tzinfo=timezone.utc)
        except ValueError:
            raise Refused("is not a date that this reader takes") from None
    if (period := PERIODS.get(form)) and (found := re.fullmatch(period, text, re.IGNORECASE)):
        year, count = (int(found.group(1) or found.group(4)), int(found.group(2) or found.group(3)))
        first = datetime(year, 3 * count - 2, 1) if form == "year quarter" else datetime.fromisocalendar(year, count, 1)
        return first.replace(tzinfo=timezone.utc)
    for written in DATES.get(form, ()):
        try:
            time = datetime.strptime(text, written).replace(tzinfo=timezone.utc)
        except ValueError:
            continue
        # Two digits of a year are those of 1950 to 2049; a time of no day is one of the year 1.
        if "%y" in written and time.year > 2049:
            time = time.replace(year=time.year - 100)
        return time.replace(year=1) if form == "hour:minute" else time
    try:
        time = datetime.fromisoformat(re.sub(r"( UTC|Z)$", "+00:00", text))
    except ValueError:
        if form != "year-month-day":
            return date(cell, "year-month-day", decimal)
        raise Refused("is not a date that this reader takes") from None
    return time.astimezone(timezone.utc) if time.tzinfo else time.replace(tzinfo=timezone.utc)


def encode_datetime(column, cell, decimal):
    """Seconds since 1970, and the parts that vary."""
    missing = [float(is_missing(cell))] if column["missing"] else []
    if is_missing(cell):
        return [0.0] * (1 + len(column["parts"])) + missing
    time = date(cell, column["form"], decimal)
    parts = {"year": time.year, "month": time.month, "weekday": time.weekday(), "hour": time.hour}
    return ([((time - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds() - column["mean"]) / column["deviation"]]
            + [(parts[part["part"]] - part["mean"]) / part["deviation"] for part in column["parts"]] + missing)


ENCODERS = {
    "number": encode_number,
    "category": encode_category,
    "datetime": encode_datetime,
    "plain": lambda _, cell, decimal: [number(cell, decimal)],
}


def western(error):
    """A byte that is none of UTF-8 is a character of Windows-1252."""
    byte = error.object[error.start:error.start + 1]
    return byte.decode("cp1252", "ignore") or byte.decode("latin-1"), error.start + 1


codecs.register_error("western", western)


def text_cells(path, raw, features, table):
    """
    Names, rows with the numbers of their lines, and the decimal point: packed or not, UTF-8, Windows-1252 where it is none, or UTF-16
    by its mark or its zeros. Where its cells are divided by another sign than a comma, its numbers have the decimal point or comma of
    the table that was trained on.
    """
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    zeros = [raw[place::2].count(0) > 0.4 * len(raw) for place in (0, 1)]
    marked = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    encoding = "utf-16" if marked else "utf-16-be" if zeros[0] else "utf-16-le" if zeros[1] else "utf-8-sig"
    lines = list(io.StringIO(raw.decode(encoding, "western" if encoding == "utf-8-sig" else "strict"), newline=""))
    before, separator = 0, None
    while before < len(lines) and (not (line := lines[before].strip(" \r\n")) or line[0] == "#" or re.fullmatch("(?i)sep=.", line)):
        separator, before = line[4] if line[:4].lower() == "sep=" else separator, before + 1
    if before == len(lines):
        sys.exit(f"{path} is empty: a table has rows, and in its first line the names of its columns.")
    # Single quotes where they open and close cells, and double ones do not.
    border, begin = r"[,;\t|\r\n]", "".join(lines[before:])[:1 << 20]
    opened, closed = (len(re.findall(quote, begin)) for quote in (rf"(?:(?<={border})|^)'", rf"'(?={border}|$)"))
    quote = "'" if opened and opened == closed and not re.search(rf'(?:(?<={border})|^)"', begin) else '"'
    bare = re.sub(f"{quote}[^{quote}]*{quote}", "", lines[before])
    separator = separator or max(",;\t|", key=bare.count)
    if separator not in bare and " " in bare.strip():
        separator, lines = " ", [line.strip(" \t\r\n").replace("\t", " ") for line in lines]
    reader = csv.reader(lines[before:], skipinitialspace=True, delimiter=separator, quotechar=quote)
    rows = [(before + reader.line_num, row) for row in reader if row]
    # A line under the names, as in Markdown.
    if len(rows) > 1 and any(rows[1][1]) and all(re.fullmatch(r"|(?=.{3}):*[-=]+:*", cell.strip()) for cell in rows[1][1]):
        del rows[1]
    names = [name.strip() for name in rows[0][1]]
    # R names all columns but that of the names of rows.
    if len(rows) > 1 and len(rows[1][1]) == len(names) + 1 and rows[1][1][-1].strip():
        names = ["", *names]
    names = [name or f"column{place}" for place, name in enumerate(names, 1)]
    if table and not table["format"]["header"] and not all(column["name"] in names for _, column in features):
        names = [f"column{place}" for place in range(1, len(names) + 1)]
    else:
        rows = rows[1:]
    for line, row in rows:
        if len(row) < len(names):
            sys.exit(f"{path}, line {line}: the row ends after {len(row)} cells, and the first has {len(names)}.")
    return names, rows, table["format"]["decimal"] if table and separator != "," else "."


def read_rows(path, data):
    """Inputs in the order of the run's columns, which the file names; other columns, such as a label, are left out."""
    table = data.get("table")
    columns = table["columns"] if table else [{"kind": "plain", "name": name} for name in data["columns"]]
    features = [(ENCODERS[column["kind"]], column) for column in columns if column["kind"] in ENCODERS]
    try:
        raw = Path(path).read_bytes()
        if raw[:4] == b"PAR1":
            sys.exit(f"{path} is Parquet, and this reader takes text: write the rows as CSV, or ask `ensemble predict`.")
        names, cells, decimal = text_cells(path, raw, features, table)
    except OSError as error:
        sys.exit(f"{path} cannot be read: {error.strerror or error}.")
    except (UnicodeDecodeError, csv.Error, EOFError) as error:
        sys.exit(f"{path} is not the UTF-8 text that this reader takes: {error}")
    if absent := [column["name"] for _, column in features if column["name"] not in names]:
        sys.exit(f"{path} lacks the column {absent[0]!r}: its first line has to name every column that the run was trained with.")
    places, rows = [names.index(column["name"]) for _, column in features], []
    for line, row in cells:
        rows.append([])
        for place, (encode, column) in zip(places, features):
            try:
                rows[-1] += encode(column, row[place], decimal)
            except Refused as refused:
                sys.exit(f"{path}, line {line}, column {column['name']!r}: {row[place]!r} {refused}.")
    return np.array(rows, dtype=np.float32).reshape(len(rows), -1 if rows else len(features))


class Classification:
    """Answers are the probabilities of the classes, [rows, classes]."""

    def __init__(self, manifest):
        self.classes = manifest["task"]["classes"]

    def answer(self, outputs):
        return softmax(outputs)

    def write(self, out, probabilities):
        entropy = -(probabilities * np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))).sum(1)
        out.writerow(["label", "entropy"] + [f"p({name})" for name in self.classes])
        for row, h in zip(probabilities, entropy):
            out.writerow([self.classes[row.argmax()], float(h)] + [float(p) for p in row])


class Regression:
    """Answers are mean, variance and squared mean of a standardised number, [rows, 3]: their means are a mixture's moments."""

    COVERAGE = 1.6448536269514722  # deviations on either side of the mean that hold 90 %

    def __init__(self, manifest):
        self.task, self.fit, self.gaussian = manifest["task"], manifest["fit"], manifest["likelihood"] == "gaussian"
        if not self.gaussian and self.fit is None:
            sys.exit("The variance of this run's squared error was not fitted: evaluate the run before it is exported.")

    def answer(self, outputs):
        m = outputs[:, 0].astype(np.float64)
        v = np.logaddexp(0, outputs[:, 1].astype(np.float64)) + 1e-6 if self.gaussian else np.full_like(m, self.fit["noiseVariance"])
        return np.stack([m, v, m * m], 1)

    def write(self, out, answers):
        mean, aleatoric, epistemic = answers[:, 0], answers[:, 1], np.maximum(answers[:, 2] - answers[:, 0] ** 2, 0)
        center, unit = self.task["mean"] + self.task["deviation"] * mean, self.task["deviation"]
        deviation = unit * np.sqrt(aleatoric + epistemic)
        out.writerow(["mean", "standardDeviation", "aleatoric", "epistemic", "lower", "upper"])
        out.writerows(np.stack([
            center, deviation, unit * np.sqrt(aleatoric), unit * np.sqrt(epistemic), center - self.COVERAGE * deviation,
            center + self.COVERAGE * deviation], 1).tolist())


TASKS = {"classification": Classification, "regression": Regression}


def predict(folder, raw, manifest, data, task):
    """The average of what the constituents answer, [rows, ...]."""
    if manifest["monteCarloSamples"]:
        print(f"Dropout by weight scaling: `ensemble predict` averages over {manifest['monteCarloSamples']} masks, unless --mc is 0.", file=sys.stderr)
    x = raw / np.float32(data["scale"])
    if data.get("mean") is not None:
        x = (x - np.float32(data["mean"])) / np.float32(data["deviation"])
    x = x.reshape(-1, *manifest["inputShape"])
    total, weights = 0, 0
    for constituent in manifest["constituents"]:
        tensors = read_safetensors(folder / constituent["file"])
        outputs = scores(x, tensors, constituent.get("layers", manifest["layers"]))
        answers = task.answer(outputs.reshape(-1, outputs.shape[-1]))
        # Submodels are averaged as constituents are.
        total = total + constituent["weight"] * answers.reshape(len(outputs), -1, answers.shape[-1]).mean(1)
        weights += constituent["weight"]
    return total / weights


def main(folder, rows):
    folder = Path(folder)
    manifest, data = (json.loads((folder / name).read_text("utf-8")) for name in ("manifest.json", "data.json"))
    task = TASKS[manifest["task"]["name"]](manifest)
    task.write(csv.writer(sys.stdout, lineterminator="\n"), predict(folder, read_rows(rows, data), manifest, data, task))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Usage: predict.py EXPORT rows.csv")
    main(*sys.argv[1:])
