#!/usr/bin/env python3
"""MusicNN's TensorFlow 1 checkpoint as safetensors, for audioldm2-convert.

    pip install --no-deps musicnn numpy safetensors
    export_musicnn.py MSD_musicnn|MTT_musicnn OUT.safetensors      (of the installed package, or the path of such a folder)
    audioldm2-convert OUT.safetensors -o musicnn.aldm

TensorFlow is not needed. Layers get names instead of numbers, convolutions PyTorch's order of axes. The pooled features lie maxima
first, then means, where TensorFlow's flatten interleaves them. Norms get PyTorch's epsilon of 1e-5: what TensorFlow's 1e-3 is more
is added to the variances.
"""
import struct
import sys
from pathlib import Path

import numpy as np


def varint(data, place):
    value = shift = 0
    while True:
        byte = data[place]
        place, value, shift = place + 1, value | (byte & 127) << shift, shift + 7
        if byte < 128:
            return value, place


def fields(data):
    """A protocol buffer's fields: (number, value)."""
    place = 0
    while place < len(data):
        tag, place = varint(data, place)
        if tag & 7 == 0:
            value, place = varint(data, place)
        elif tag & 7 == 2:
            size, place = varint(data, place)
            value, place = data[place:place + size], place + size
        elif tag & 7 == 5:
            value, place = data[place:place + 4], place + 4
        else:
            raise ValueError("an unknown kind of field")
        yield tag >> 3, value


def block(data, offset, size):
    """The entries of a table's block (LevelDB's format), keys and values."""
    if data[offset + size] != 0:
        raise ValueError("a compressed block")
    body = data[offset:offset + size]
    end = size - 4 - 4 * struct.unpack("<I", body[-4:])[0]
    place, key = 0, b""
    while place < end:
        shared, place = varint(body, place)
        own, place = varint(body, place)
        length, place = varint(body, place)
        key = key[:shared] + body[place:place + own]
        yield key, body[place + own:place + own + length]
        place += own + length


def checkpoint(folder):
    """Variables by name."""
    index, data = (folder / ".index").read_bytes(), (folder / ".data-00000-of-00001").read_bytes()
    if index[-8:] != bytes.fromhex("57fb808b247547db"):
        raise ValueError("not an index of a checkpoint")
    place = len(index) - 48
    for _ in range(2):  # The list of what else there is, which is empty.
        _, place = varint(index, place)
    offset, place = varint(index, place)
    size, place = varint(index, place)
    variables = {}
    for _, handle in block(index, offset, size):
        start, after = varint(handle, 0)
        length, _ = varint(handle, after)
        for key, value in block(index, start, length):
            entry = dict(fields(value))
            if not key or entry.get(1) != 1:  # float32
                continue
            shape = [dict(fields(dim)).get(1, 0) for number, dim in fields(entry.get(2, b"")) if number == 2]
            begin = entry.get(4, 0)
            variables[key.decode()] = np.frombuffer(data[begin:begin + entry[5]], "<f4").reshape(shape)
    return variables


def renamed(variables):
    def numbered(kind, index, name):
        return variables[f"{kind}{f'_{index}' if index else ''}/{name}"]

    def norm(index):
        return {"weight": numbered("batch_normalization", index, "gamma"), "bias": numbered("batch_normalization", index, "beta"),
                "running_mean": numbered("batch_normalization", index, "moving_mean"),
                "running_var": numbered("batch_normalization", index, "moving_variance") + np.float32(1e-3 - 1e-5)}

    tensors = {}

    def put(path, parts):
        tensors.update({f"{path}.{name}": value for name, value in parts.items()})

    put("frontend.norm", norm(0))
    for index, path in enumerate([f"frontend.timbral.{i}" for i in range(2)] + [f"frontend.temporal.{i}" for i in range(3)]
                                 + [f"midend.{i}" for i in range(3)]):
        kernel = numbered("conv2d", index, "kernel")  # [height, width, inputs, outputs]
        # The mid-end's channels are a width of its pictures.
        kernel = kernel[:, :, 0].transpose(2, 1, 0) if path.startswith("midend") else kernel.transpose(3, 2, 0, 1)
        put(f"{path}.conv", {"weight": kernel, "bias": numbered("conv2d", index, "bias")})
        put(f"{path}.norm", norm(index + 1))
    order = lambda values: np.concatenate([values[..., 0::2], values[..., 1::2]], axis=-1)
    put("backend.pool_norm", {name: order(value) for name, value in norm(9).items()})
    put("backend.dense", {"weight": order(numbered("dense", 0, "kernel").T), "bias": numbered("dense", 0, "bias")})
    put("backend.norm", norm(10))
    put("backend.output", {"weight": numbered("dense", 1, "kernel").T, "bias": numbered("dense", 1, "bias")})
    return {name: np.ascontiguousarray(value) for name, value in tensors.items()}


def folder(name):
    path = Path(name)
    return path if path.is_dir() else next(p for p in (Path(entry) / "musicnn" / name for entry in sys.path) if p.is_dir())


if __name__ == "__main__":
    from safetensors.numpy import save_file
    save_file(renamed(checkpoint(folder(sys.argv[1]))), sys.argv[2])
