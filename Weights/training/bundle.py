"""TensorFlow 1 checkpoints, read without TensorFlow: an index in LevelDB's table format, and the numbers in a file beside it."""

import struct
from pathlib import Path

import numpy as np


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at, value, shift = at + 1, value | (byte & 127) << shift, shift + 7
        if byte < 128:
            return value, at


def entries(data: bytes, offset: int, size: int):
    """(key, value) of a block of a sorted table: keys share their beginnings with the one before."""
    if data[offset + size] != 0:
        raise ValueError("a compressed block")
    restarts = struct.unpack_from("<I", data, offset + size - 4)[0]
    at, end, key = offset, offset + size - 4 * (restarts + 1), b""
    while at < end:
        shared, at = varint(data, at)
        fresh, at = varint(data, at)
        length, at = varint(data, at)
        key = key[:shared] + data[at : at + fresh]
        yield key, data[at + fresh : at + fresh + length]
        at += fresh + length


def fields(message: bytes):
    """(number, value) of a protocol buffer's fields."""
    at = 0
    while at < len(message):
        tag, at = varint(message, at)
        if tag & 7 == 0:
            value, at = varint(message, at)
        else:
            if tag & 7 == 2:
                length, at = varint(message, at)
            elif tag & 7 in (1, 5):
                length = 8 if tag & 7 == 1 else 4
            else:
                raise ValueError("an unknown kind of field")
            value, at = message[at : at + length], at + length
        yield tag >> 3, value


def checkpoint(folder: Path) -> dict[str, np.ndarray]:
    """The float32 tensors of a bundle (`.index`, `.data-00000-of-00001`) without a name before the dot."""
    index, data = (folder / ".index").read_bytes(), (folder / ".data-00000-of-00001").read_bytes()
    if index[-8:] != bytes.fromhex("57fb808b247547db"):
        raise ValueError("not an index of a checkpoint")
    _, at = varint(index, len(index) - 48)  # the footer: two handles, of which the second is that of the index block
    _, at = varint(index, at)
    offset, at = varint(index, at)
    size, _ = varint(index, at)
    tensors = {}
    for _, handle in entries(index, offset, size):
        start, at = varint(handle, 0)
        for key, value in entries(index, start, varint(handle, at)[0]):
            entry = dict(fields(value))
            if key and entry.get(1) == 1:  # the empty key is the header; type 1 is float32
                shape = [dict(fields(d)).get(1, 0) for n, d in fields(entry.get(2, b"")) if n == 2]
                tensors[key.decode()] = np.frombuffer(data, "<f4", entry[5] // 4, entry.get(4, 0)).reshape(shape)
    return tensors
