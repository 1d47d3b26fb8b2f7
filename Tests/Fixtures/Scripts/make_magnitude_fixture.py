#!/usr/bin/env python3
"""A magnitude network with random weights as a checkpoint folder, and what PyTorch makes of a sound's mel spectrogram in
float64.

    make_magnitude_fixture.py OUT SOUND.wav      (torch, librosa, safetensors)

OUT/magnitudes/{config.json,model.safetensors} hold the network; OUT/golden.safetensors holds `mel` [1, 64, frames], natural
logarithms, and `correction` [1, frames, 513].

The fixture ../Magnitudes was made of loop_amen.flac, its first 0.6 s, from Debian's sonic-pi-samples (CC0).
"""
import json
import sys
from pathlib import Path

import librosa
import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn.functional import conv1d, leaky_relu

CONFIG = {"model_in_dim": 64, "input_kernel_size": 5, "hidden_channels": 24, "kernel_size": 3, "dilations": [1, 2, 4],
          "leaky_relu_slope": 0.1, "num_bins": 513}


def weights():
    """He-scaled, so that every layer counts."""
    torch.manual_seed(0)
    width, kernel = CONFIG["hidden_channels"], CONFIG["kernel_size"]
    shapes = {"conv_pre": (width, CONFIG["model_in_dim"], CONFIG["input_kernel_size"]), "conv_post": (CONFIG["num_bins"], width, 1)}
    for index in range(len(CONFIG["dilations"])):
        shapes |= {f"resblock.convs1.{index}": (width, width, kernel), f"resblock.convs2.{index}": (width, width, kernel)}
    found = {}
    for name, shape in shapes.items():
        found[f"{name}.weight"] = torch.randn(shape) * (2 / (shape[1] * shape[2])) ** 0.5
        found[f"{name}.bias"] = 0.1 * torch.randn(shape[0])
    return found


def correction(weights, mel):
    """[1, bands, frames] to [1, frames, bins]."""
    w = {key: value.double() for key, value in weights.items()}

    def convolve(name, x, dilation=1):
        kernel = w[f"{name}.weight"]
        return conv1d(x, kernel, w[f"{name}.bias"], padding=dilation * (kernel.shape[2] // 2), dilation=dilation)

    slope = CONFIG["leaky_relu_slope"]
    x = convolve("conv_pre", mel / 4 + 1)
    for index, dilation in enumerate(CONFIG["dilations"]):
        inner = convolve(f"resblock.convs1.{index}", leaky_relu(x, slope), dilation)
        x = x + convolve(f"resblock.convs2.{index}", leaky_relu(inner, slope))
    return convolve("conv_post", leaky_relu(x, slope)).clamp(-8, 8).transpose(1, 2)


def main():
    out = Path(sys.argv[1])
    (out / "magnitudes").mkdir(parents=True, exist_ok=True)
    wave, _ = librosa.load(sys.argv[2], sr=16000, duration=0.6)
    mel = librosa.feature.melspectrogram(y=wave, sr=16000, n_fft=1024, hop_length=160, n_mels=64, fmax=8000, power=1)
    mel = torch.from_numpy(np.log(np.maximum(mel, 1e-5)))[None]
    found = weights()
    (out / "magnitudes/config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    save_file(found, out / "magnitudes/model.safetensors")
    golden = {"mel": mel.float(), "correction": correction(found, mel.double()).float()}
    save_file({key: value.contiguous() for key, value in golden.items()}, out / "golden.safetensors")


if __name__ == "__main__":
    main()
