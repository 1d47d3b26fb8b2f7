"""MusicNN's tags of music (Pons & Serra 2019): the network `MTT_musicnn` of the PyPI package `musicnn`, whose TensorFlow 1
checkpoint is read here without TensorFlow.  For the figures only.

    pip install --no-deps musicnn
    python3 tags.py FILE…            the five likeliest of 50 tags of each 16 kHz sound
"""

import ast
import importlib.util
import json
from pathlib import Path

import numpy as np
import torch

from bundle import checkpoint
from common import RATE
from mel import slaney_filters

FFT, HOP, MELS, FRAMES = 512, 256, 96, 187  # FRAMES is what one look takes: 3 s
SYNTHETIC = {"synth", "electronic", "techno", "ambient"}
WANTED = {  # family of music.py, or instrument where its family has several tags: the tags that say it
    "piano": {"piano"},
    "harpsichord": {"harpsichord"},
    "guitar": {"guitar"},
    "violin": {"violin", "strings"},
    "cello": {"cello", "strings"},
    "strings": {"strings", "violin", "cello"},
    "harp": {"harp"},
    "choir": {"choir", "choral", "opera", "vocal", "vocals", "voice", "singing"},
    "flute": {"flute"},
    "synthesizer": SYNTHETIC,
    "sitar": {"sitar", "indian"},
    "drums": {"drums", "beat", "beats"},
}


def wanted(family: str, caption: str) -> set[str]:
    """The tags of which one is to be heard, for a family and what was said of it; none if no tag fits."""
    for instrument in ("violin", "cello"):
        if family == "strings" and instrument in caption:
            return WANTED[instrument]
    return WANTED.get(family, set())


def package() -> Path:
    """Where the package lies; it is not imported, for it wants TensorFlow."""
    found = importlib.util.find_spec("musicnn")
    if not found or not found.submodule_search_locations:
        raise SystemExit("the package musicnn is missing: pip install --no-deps musicnn")
    return Path(found.submodule_search_locations[0])


def labels(folder: Path) -> list[str]:
    """MTT_LABELS of the package's configuration.py."""
    for node in ast.parse((folder / "configuration.py").read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "MTT_LABELS":
            return ast.literal_eval(node.value)
    raise SystemExit(f"{folder / 'configuration.py'} has no MTT_LABELS")


class Tagger:
    """The network: likelihoods of `names` for waveforms at 16 kHz."""

    def __init__(self):
        folder = package()
        self.names = labels(folder)
        self.tensors = {k: torch.tensor(v) for k, v in checkpoint(folder / "MTT_musicnn").items()}
        self.filters = torch.tensor(slaney_filters(RATE, FFT, MELS, 0, RATE / 2), dtype=torch.float32)

    def weight(self, layer: str, number: int, name: str) -> torch.Tensor:
        """A tensor by TensorFlow's numbering of the layers of one kind."""
        return self.tensors[f"{layer}{f'_{number}' if number else ''}/{name}"]

    def norm(self, x: torch.Tensor, number: int) -> torch.Tensor:
        """Batch normalisation of the second axis."""
        mean, spread, gain, shift = (
            self.weight("batch_normalization", number, n) for n in ("moving_mean", "moving_variance", "gamma", "beta")
        )
        return torch.nn.functional.batch_norm(x, mean, spread, gain, shift, eps=1e-3)

    def block(self, x: torch.Tensor, number: int) -> torch.Tensor:
        """(batch, 1, frames, bands) to (batch, filters, frames): convolution, ReLU, normalisation, the loudest place."""
        kernel = self.weight("conv2d", number, "kernel").permute(3, 2, 0, 1)
        frames = kernel.shape[2]
        x = torch.nn.functional.pad(x, (0, 0, (frames - 1) // 2, frames // 2))
        x = torch.nn.functional.conv2d(x, kernel, self.weight("conv2d", number, "bias"))
        return self.norm(torch.relu(x), number + 1).amax(3)

    def dense(self, x: torch.Tensor, number: int) -> torch.Tensor:
        return x @ self.weight("dense", number, "kernel") + self.weight("dense", number, "bias")

    def looks(self, wave: torch.Tensor) -> torch.Tensor:
        """(samples,) to (looks, frames, bands): the mels in pieces of 3 s, one after another."""
        window = torch.hann_window(FFT)
        power = torch.stft(wave, FFT, HOP, FFT, window, center=True, pad_mode="constant", return_complex=True).abs() ** 2
        mel = (self.filters @ power).T.half().float()  # the package rounds the mels to half precision
        mel = torch.log10(10000 * mel + 1)
        count = len(mel) // FRAMES
        if not count:
            raise ValueError(f"{len(wave) / RATE:.1f} s of sound; MusicNN listens for 3 s at a time")
        return mel[: count * FRAMES].unflatten(0, (count, FRAMES))

    @torch.no_grad()
    def __call__(self, wave: torch.Tensor) -> torch.Tensor:
        """(tags,) likelihoods of (samples,), the mean over its looks."""
        x = self.norm(self.looks(wave.float())[:, None], 0)
        front = torch.cat([self.block(x, n) for n in range(5)], 1)
        layers = [front]
        for number in (5, 6, 7):
            y = self.block(layers[-1].transpose(1, 2)[:, None], number)
            layers.append(y if number == 5 else y + layers[-1])
        features = torch.cat(layers, 1)
        pooled = torch.stack([features.amax(2), features.mean(2)], 2).flatten(1)
        hidden = self.norm(torch.relu(self.dense(self.norm(pooled, 9), 0)), 10)
        return torch.sigmoid(self.dense(hidden, 1)).mean(0)

    def top(self, wave: torch.Tensor, count: int = 5) -> list[str]:
        return [self.names[i] for i in self(wave).topk(count).indices]


def main():
    import sys

    import soundfile

    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    tagger = Tagger()
    for path in sys.argv[1:]:
        wave, rate = soundfile.read(path, dtype="float32", always_2d=True)
        if rate != RATE:
            raise SystemExit(f"{path}: {rate} Hz; MusicNN hears {RATE}")
        print(path, json.dumps(tagger.top(torch.from_numpy(wave.mean(1)))))


if __name__ == "__main__":
    main()
