#!/usr/bin/env python3
"""Small files by torch.save in every form that it can write, and what torch.load reads from them.

    python make_torch_fixtures.py ../Torch

`expected.safetensors` holds each file's tensors as float32 under `FILE/KEY`; `shapes.json` their types and shapes.
"""
import argparse
import collections
import datetime
import decimal
import functools
import json
import pathlib
import sys
import types
import uuid
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

NAMES = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16",
         torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
         torch.bool: "BOOL", torch.uint16: "U16", torch.uint32: "U32", torch.uint64: "U64"}


def tensors(newest):
    torch.manual_seed(5)
    base = torch.randn(4, 6)
    shared = torch.randn(5, 3)
    state = collections.OrderedDict(
        matrix=torch.randn(3, 4), scalar=torch.tensor(2.5), empty=torch.zeros(0, 4), half=torch.randn(7).half(),
        brain=torch.randn(2, 3).bfloat16(), double=torch.randn(3, dtype=torch.float64),
        transposed=base.t(), columns=base[:, 1:4], rows=base[1:3], steps=torch.randn(20)[3::4],
        permuted=torch.randn(2, 3, 4).permute(2, 0, 1), expanded=torch.randn(3, 1).expand(3, 5),
        last=torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        shared=shared, embed_tokens=shared, parameter=torch.nn.Parameter(torch.randn(2, 2)),
        position_ids=torch.arange(6).expand(1, -1), updates=torch.tensor(7, dtype=torch.int32),
        short=torch.tensor([-3, 300], dtype=torch.int16), char=torch.tensor([-3, 100], dtype=torch.int8),
        byte=torch.tensor([3, 200], dtype=torch.uint8), flags=torch.tensor([True, False, True]))
    state._metadata = collections.OrderedDict([("", {"version": 1}), ("bn", {"version": 2})])
    marked = torch.nn.Parameter(torch.randn(3))
    marked.note = "kept by a trainer"
    state["marked"] = marked
    if newest:
        state["unsigned"] = torch.tensor([3, 60000], dtype=torch.uint16)
        state["large"] = torch.tensor([3, 4000000000], dtype=torch.uint32)
    return state


def trainer(state):
    model = torch.nn.Linear(2, 3)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(1, 2)).sum().backward()
    optimizer.step()
    return {"epoch": 3, "global_step": 10 ** 12, "best": np.float64(0.25), "count": np.int64(7), "none": None,
            "done": False, "huge": 1 << 80, "names": {"a", "b"}, "shape": torch.Size([2, 3]),
            "device": torch.device("cpu"), "state_dict": state, "optimizer_states": [optimizer.state_dict()],
            "pytorch-lightning_version": "1.8.1", "betas": (0.9, 0.999), "loops": {"fit_loop": {"done": [1, 2.5, "x"]}}}


def permitted():
    """What torch.load takes with weights_only, beside a state; on one tensor of each storage that holds no weights."""
    matrix = torch.eye(3)
    return {"counter": collections.Counter("abca"), "bytes": bytearray(b"\x00\xff"), "complex": 1 + 2j,
            "sparse": matrix.to_sparse(), "csr": matrix.to_sparse_csr(), "layout": torch.sparse_coo,
            "quantized": torch.quantize_per_tensor(matrix, 0.1, 10, torch.quint8),
            "channels": torch.quantize_per_channel(matrix, torch.ones(3), torch.zeros(3), 0, torch.qint8),
            "accumulated": torch.quantize_per_tensor(matrix, 0.1, 0, torch.qint32),
            "pairs": torch.ones(2, dtype=torch.complex128), "halves": torch.ones(2, dtype=torch.complex64),
            "types": [torch.quint8, torch.complex128, torch.per_tensor_affine, torch.int4],
            "parameter": torch.nn.Parameter(torch.ones(2, dtype=torch.complex128)), "device": torch.device("cuda:1"),
            "surrogate": "\ud800"}


def objects():
    """What trainers save beside a state and weights_only refuses, though nothing of it runs anything."""
    lists = collections.defaultdict(list)
    lists["loss"].append(0.5)
    return {"defaultdict": lists, "nested": collections.defaultdict(dict, a={"b": 1}),
            "path": pathlib.PosixPath("/data/audio"), "pure": pathlib.PurePosixPath("a/b"),
            "namespace": argparse.Namespace(lr=1e-4, betas=(0.9, 0.999), path=pathlib.PosixPath("x")),
            "simple": types.SimpleNamespace(a=1, b=[2]), "array": np.arange(6.0).reshape(2, 3),
            "scalars": [np.float32(1), np.int64(2), np.bool_(True)], "strings": np.array(["a", "bc"]),
            "random": np.random.RandomState(1), "legacy_state": np.random.RandomState(2).get_state(),
            "generator": np.random.default_rng(3), "dtype": np.dtype("float32"),
            "when": datetime.datetime(2024, 5, 6, 7, 8, tzinfo=datetime.timezone.utc), "day": datetime.date(2024, 5, 6),
            "took": datetime.timedelta(hours=3), "partial": functools.partial(int, base=2), "slice": slice(1, 2),
            "frozen": frozenset({1, 2}), "range": range(3), "money": decimal.Decimal("1.5"), "run": uuid.UUID(int=7)}


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    new, old = tensors(True), tensors(False)
    files = {"zip": (new, {}), "protocol1": (old, {"pickle_protocol": 1}), "protocol4": (new, {"pickle_protocol": 4}),
             "protocol5": (new, {"pickle_protocol": 5}), "trainer": (trainer(new), {}),
             "legacy": (old, {"_use_new_zipfile_serialization": False}),
             "legacy-trainer": (trainer(old), {"_use_new_zipfile_serialization": False}),
             "permitted": ({**permitted(), "state_dict": new}, {}), "objects": ({**objects(), "state_dict": new}, {}),
             "objects4": ({**objects(), "state_dict": new}, {"pickle_protocol": 4}),
             "legacy-permitted": ({**permitted(), "state_dict": old}, {"_use_new_zipfile_serialization": False}),
             "defaultdict": (collections.defaultdict(list, new), {})}
    expected, shapes = {}, {}
    for name, (content, options) in files.items():
        path = folder / f"{name}.pth"
        torch.save(content, path, **options)
        loaded = torch.load(path, weights_only=False)
        loaded = loaded.get("state_dict", loaded)
        for key, tensor in loaded.items():
            expected[f"{name}/{key}"] = tensor.detach().to(torch.float32).contiguous().clone()
            shapes[f"{name}/{key}"] = [NAMES[tensor.dtype], list(tensor.shape)]
    # As a file saved on a GPU: only the tag differs.
    data = (folder / "legacy.pth").read_bytes()
    (folder / "cuda.pth").write_bytes(data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"))
    for key in [key for key in shapes if key.startswith("legacy/")]:
        expected["cuda/" + key[7:]], shapes["cuda/" + key[7:]] = expected[key].clone(), shapes[key]
    save_file(expected, folder / "expected.safetensors")
    (folder / "shapes.json").write_text(json.dumps(shapes))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
