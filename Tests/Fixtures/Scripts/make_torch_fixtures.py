#!/usr/bin/env python3
"""Small files by torch.save in every form that it can write, and what torch.load reads from them.

    python make_torch_fixtures.py ../Torch

`expected.safetensors` holds each file's tensors as float32 under `FILE/KEY`; `shapes.json` their types and shapes.
"""
import collections
import json
import sys
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


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    new, old = tensors(True), tensors(False)
    files = {"zip": (new, {}), "protocol1": (old, {"pickle_protocol": 1}), "protocol4": (new, {"pickle_protocol": 4}),
             "protocol5": (new, {"pickle_protocol": 5}), "trainer": (trainer(new), {}),
             "legacy": (old, {"_use_new_zipfile_serialization": False}),
             "legacy-trainer": (trainer(old), {"_use_new_zipfile_serialization": False})}
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
