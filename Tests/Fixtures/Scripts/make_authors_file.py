#!/usr/bin/env python3
"""One of the authors' files at full size, with random weights, of which a few MB are in memory at a time.

    python make_authors_file.py ../Authors/published-keys.json.zst audioldm2-full OUT.pth [--check]

Keys, types and shapes are those of the published file.  It is written as torch.save does (zip64, stored records, storages
tagged cuda:0, an OrderedDict with _metadata, other entries of a trainer) but record by record; --check reads it with
torch.load.  The largest, audioldm2-full-large-1150k, has 11.7 GB.
"""
import argparse
import collections
import json
import pickle
import subprocess
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch

BLOCK = np.random.default_rng(1).standard_normal(1 << 22, dtype=np.float32)
TYPES = {"float32": torch.FloatStorage, "int64": torch.LongStorage, "int32": torch.IntStorage}


class Storage:
    def __init__(self, kind, key, count):
        self.identity = ("storage", kind, key, "cuda:0", count)


class Tensor:
    def __init__(self, storage, shape, transposed):
        order = range(len(shape)) if transposed else reversed(range(len(shape)))
        strides, step = [0] * len(shape), 1
        for axis in order:
            strides[axis], step = step, step * shape[axis]
        self.arguments = storage, 0, tuple(shape), tuple(strides), False, collections.OrderedDict()

    def __reduce__(self):
        return torch._utils._rebuild_tensor_v2, self.arguments


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.identity if isinstance(value, Storage) else None


def blocks(key, kind, shape):
    """The numbers of a tensor, some MB at a time: of about the size that keeps activations in range."""
    count = int(np.prod(shape, dtype=np.int64))
    if kind != "float32":
        yield np.arange(count, dtype=kind).tobytes()
        return
    start = zlib.crc32(key.encode()) % (BLOCK.size // 2)
    fan = int(np.prod(shape[1:], dtype=np.int64))
    for first in range(0, count, BLOCK.size // 2):
        x = BLOCK[start:start + min(count - first, BLOCK.size // 2)]
        if key == "scale_factor":
            x = np.full(1, 0.41, np.float32)
        elif key.endswith("running_var"):
            x = 0.5 + np.abs(x)
        elif len(shape) > 1:
            x = x * np.float32(fan ** -0.5)
        elif key.endswith(("weight", "gamma")):
            x = 1 + np.float32(0.1) * x
        else:
            x = np.float32(0.05) * x
        yield x.astype(np.float32).tobytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keys", type=Path)
    parser.add_argument("name")
    parser.add_argument("out", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    text = subprocess.run(["zstd", "-dc", arguments.keys], check=True, capture_output=True).stdout
    keys = json.loads(text)[arguments.name]
    state, storages = collections.OrderedDict(), {}
    for key, entry in keys.items():
        owner = entry[1] if entry[0] == "shared" else key
        kind, shape = keys[owner]
        if owner not in storages:
            storages[owner] = Storage(TYPES[kind], str(len(storages)), int(np.prod(shape, dtype=np.int64)))
        # Buffers of features are transposed in the authors' files.
        state[key] = Tensor(storages[owner], shape, "melW" in key or "mel_scale.fb" in key)
    state._metadata = collections.OrderedDict({"": {"version": 1}, "model": {"version": 1}})
    with zipfile.ZipFile(arguments.out, "w", zipfile.ZIP_STORED, allowZip64=True) as file:
        with file.open("archive/data.pkl", "w") as record:
            trainer = {"epoch": 3, "global_step": 665000, "state_dict": state, "optimizer_states": [], "loops": None}
            Pickler(record, protocol=2).dump(trainer)
        for owner, storage in storages.items():
            with file.open(f"archive/data/{storage.identity[2]}", "w", force_zip64=True) as record:
                for block in blocks(owner, *keys[owner]):
                    record.write(block)
        file.writestr("archive/version", "3\n")
    if arguments.check:
        loaded = torch.load(arguments.out, map_location="cpu", mmap=True, weights_only=True)["state_dict"]
        assert all(list(loaded[key].shape) == (keys[entry[1]] if entry[0] == "shared" else entry)[1]
                   for key, entry in keys.items())
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e9:.2f} GB, {len(keys)} tensors")


if __name__ == "__main__":
    main()
