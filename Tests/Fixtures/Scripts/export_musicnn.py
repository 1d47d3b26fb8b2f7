#!/usr/bin/env python3
"""MusicNN's TensorFlow 1 checkpoint as safetensors, for audioldm2-convert.

    pip install --no-deps musicnn numpy safetensors
    export_musicnn.py MSD_musicnn|MTT_musicnn OUT.safetensors      (of the installed package, or the path of such a folder)
    audioldm2-convert OUT.safetensors -o musicnn.aldm

TensorFlow is not needed. Layers get names instead of numbers, convolutions PyTorch's order of axes. The pooled features lie maxima
first, then means, where TensorFlow's flatten interleaves them. Norms get PyTorch's epsilon of 1e-5: what TensorFlow's 1e-3 is more
is added to the variances.
"""
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "Weights" / "training"))
from bundle import checkpoint  # noqa: E402


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
