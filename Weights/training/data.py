"""Training examples from the pack: scenes composed on the fly, with the words for what was done."""

import json
import random
import re
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import scipy.signal
import torch

import captions
from common import RATE

SCENE = 10.24  # seconds of a scene: what one LOA describes
DOMAINS = [("effect", 0.62), ("music", 0.28), ("speech", 0.10)]


class Pack:
    """The clips of pack/: `rows` describes them, `wave(row)` is one as float32 at peak 0.5."""

    def __init__(self, data: Path):
        self.rows = json.loads((data / "pack/index.json").read_text())
        self.audio = np.memmap(data / "pack/audio.bin", dtype="<i2", mode="r")

    def wave(self, row: dict) -> np.ndarray:
        return self.audio[row["offset"] : row["offset"] + row["length"]].astype(np.float32) / 32768

    def select(self, split: str, domain: str | None = None) -> list[dict]:
        return [r for r in self.rows if r["split"] == split and domain in (None, r["domain"])]


def fade(wave: np.ndarray, samples: int = 80) -> np.ndarray:
    """5 ms ramps at both ends, so that cuts don't click."""
    wave = wave.copy()
    samples = min(samples, len(wave) // 2)
    ramp = np.linspace(0, 1, samples, dtype=np.float32)
    wave[:samples] *= ramp
    wave[len(wave) - samples :] *= ramp[::-1]
    return wave


def lowpass(wave: np.ndarray, hertz: float) -> np.ndarray:
    return scipy.signal.sosfilt(scipy.signal.butter(2, hertz, fs=RATE, output="sos"), wave).astype(np.float32)


def treat(rng: random.Random, wave: np.ndarray, treatment: str) -> np.ndarray:
    """What a word of captions.SUFFIX does to a sound."""
    if treatment == "distant":
        return 0.3 * lowpass(wave, rng.uniform(1200, 2500))
    if treatment == "muffled":
        return 0.6 * lowpass(wave, rng.uniform(400, 800))
    if treatment == "quiet":
        return 0.2 * wave
    if treatment == "loud":
        return np.tanh(3 * wave).astype(np.float32)
    if treatment == "echo":
        delay, out = int(rng.uniform(0.15, 0.3) * RATE), wave.copy()
        for k in range(1, 5):
            out[k * delay :] += 0.55**k * wave[: max(0, len(wave) - k * delay)]
        return out
    return wave


def resample(wave: np.ndarray, factor: float) -> np.ndarray:
    """Faster and higher by `factor`, by linear interpolation after a guard filter."""
    if factor > 1:
        wave = lowpass(wave, 0.48 * RATE / factor)
    positions = np.arange(0, len(wave) - 1, factor)
    return np.interp(positions, np.arange(len(wave)), wave).astype(np.float32)


class Scenes:
    """An endless, seeded source of (waveform, description).

    A description has `facts` (for captions.describe), `labels` (classes heard, the main one first) and `domain`.  All
    waveforms are `seconds` long.  `plain` scenes have one untreated sound, for evaluation.
    """

    def __init__(self, pack: Pack, seconds: float, seed: int, split: str = "train", plain: bool = False):
        self.pack, self.samples, self.plain = pack, int(seconds * RATE), plain
        self.rng = random.Random(f"{split} {seed}")
        self.groups: dict[str, dict[str, list[dict]]] = {}
        for row in pack.select(split):
            self.groups.setdefault(row["domain"], {}).setdefault(row["class"], []).append(row)

    def next(self) -> tuple[np.ndarray, dict]:
        domain = self.rng.choices([d for d, _ in DOMAINS], [w for _, w in DOMAINS])[0]
        return {"effect": self.effect, "music": self.music, "speech": self.speech}[domain]()

    def batch(self, size: int) -> tuple[torch.Tensor, list[dict]]:
        """((size, samples) float32, descriptions)."""
        pairs = [self.next() for _ in range(size)]
        return torch.from_numpy(np.stack([w for w, _ in pairs])), [d for _, d in pairs]

    def place(self, wave: np.ndarray, latest: float = 0.8) -> np.ndarray:
        """A crop of a long sound, or a short one that begins within `latest` seconds, in silence."""
        if len(wave) >= self.samples:
            start = self.rng.randrange(len(wave) - self.samples + 1)
            return wave[start : start + self.samples]
        out = np.zeros(self.samples, np.float32)
        start = self.rng.randrange(min(self.samples - len(wave), int(latest * RATE)) + 1)
        out[start : start + len(wave)] = fade(wave)
        return out

    def loop(self, wave: np.ndarray) -> np.ndarray:
        """A continuous sound repeated with 50 ms cross-fades until it fills the scene."""
        overlap = min(RATE // 20, len(wave) // 4)
        while len(wave) < self.samples + overlap:
            ramp = np.linspace(0, 1, overlap, dtype=np.float32)
            joint = wave[len(wave) - overlap :] * (1 - ramp) + wave[:overlap] * ramp
            wave = np.concatenate([wave[: len(wave) - overlap], joint, wave[overlap:]])
        return self.place(wave)

    def repeat(self, takes: list[np.ndarray], count: int) -> np.ndarray:
        """Takes of a short sound one after another, evenly spaced."""
        out = np.zeros(self.samples, np.float32)
        longest = max(map(len, takes))
        room = (self.samples - longest) / max(1, count - 1) if count > 1 else 0
        pace = min(room, max(longest * 0.8, self.rng.uniform(0.3, 1.0) * RATE))
        for k in range(count):
            wave, start = takes[k % len(takes)], int(k * pace)
            out[start : start + len(wave)] += fade(wave)[: self.samples - start]
        return out

    def sound(self, row: dict, treatments: list[str], amount: str) -> np.ndarray:
        """One class of sound through the scene, at peak 0.5 or what the treatments make of it."""
        wave = self.pack.wave(row)
        pitch = 1.35 if "high" in treatments else 0.74 if "low" in treatments else self.rng.uniform(0.97, 1.03)
        if amount in ("once", "loop"):
            wave = resample(wave, pitch)
            wave = self.loop(wave) if amount == "loop" and len(wave) > RATE // 10 else self.place(wave)
        else:
            same = [r for r in self.groups["effect"][row["class"]] if r["variant"] == row["variant"]]
            others = self.rng.sample(same, min(3, len(same))) if row["class"] != "bell" else []
            takes = [resample(self.pack.wave(r)[: self.samples // 3], pitch) for r in [row] + others]
            takes = [t for t in takes if len(t) < self.samples // 2] or [resample(wave[: self.samples // 3], pitch)]
            fits = max(2, int(self.samples / max(RATE * 0.4, 0.8 * max(map(len, takes)))))
            count = {"twice": 2, "three times": 3, "some": min(fits, self.rng.randint(2, 4))}.get(amount, min(8, fits))
            wave = self.repeat(takes, count)
        wave = 0.5 * wave / max(1e-3, np.abs(wave).max())
        for treatment in treatments:
            wave = treat(self.rng, wave, treatment)
        return wave

    def event(self, label: str | None = None, simple: bool = False) -> tuple[np.ndarray, tuple]:
        """(waveform, (class, variant, treatments)) of one effect."""
        rng, groups = self.rng, self.groups["effect"]
        label = label or rng.choice(list(groups))
        row = rng.choice(groups[label])
        treatments = (
            []
            if self.plain or rng.random() < 0.65
            else [rng.choice(["distant", "muffled", "echo", "quiet", "loud", "high", "low"])]
        )
        amount = "once"
        if label in captions.STEADY:
            amount = "loop"
        elif row["length"] < 2.5 * RATE and not (self.plain or simple):
            amount = rng.choice(["once", "once", "twice", "three times", "repeated"])
        if amount == "once" and row["length"] < RATE and not self.plain and rng.random() < 0.7:
            # What lasts a moment would leave almost all of the scene silent, and silence is then what is learned.
            amount = "some"
        said = treatments + ([amount] if amount in ("twice", "three times", "repeated") else [])
        variant = chord(row["key"]) if label == "guitar strum" else row["variant"]
        return self.sound(row, treatments, amount), (label, variant, said)

    def effect(self, label: str | None = None) -> tuple[np.ndarray, dict]:
        """A scene of one class, or (not when plain) of two."""
        wave, event = self.event(label)
        if self.plain or self.rng.random() > 0.25:
            return wave, {"facts": {"events": [event]}, "labels": [event[0]], "domain": "effect"}
        other, second = self.event(simple=True)
        relation = self.rng.choice(["together", "background", "sequence"])
        if relation == "sequence":
            cut = min(self.samples // 2, int(self.rng.uniform(1.5, 2.5) * RATE))
            wave = np.concatenate([fade(wave[:cut]), fade(other[: self.samples - cut])])
        else:
            wave = wave + (0.45 if relation == "background" else 0.8) * other
        facts = {"events": [event, second], "relation": relation}
        return (
            0.5 * wave / max(0.5, np.abs(wave).max()),
            {"facts": facts, "labels": [event[0], second[0]], "domain": "effect"},
        )

    def music(self, label: str | None = None) -> tuple[np.ndarray, dict]:
        pieces = self.groups["music"]
        row = self.rng.choice(pieces[label or self.rng.choice(list(pieces))])
        wave = self.place(self.pack.wave(row), latest=0.0)
        return fade(wave), {"facts": {"piece": row}, "labels": [row["class"]], "domain": "music"}

    def speech(self) -> tuple[np.ndarray, dict]:
        row = self.rng.choice(self.groups["speech"]["speech"])
        wave, facts, labels = self.place(self.pack.wave(row)), {"phrase": row}, ["speech"]
        if not self.plain and self.rng.random() < 0.2:
            other, event = self.event(simple=True)
            wave = wave + 0.3 * other
            facts |= {"events": [event], "relation": "background"}
            labels.append(event[0])
        return 0.5 * wave / max(0.05, np.abs(wave).max()), {"facts": facts, "labels": labels, "domain": "speech"}


def ahead(make, depth: int = 3):
    """An endless iterator over what `make` returns, made in another thread while the training step runs."""
    with ThreadPoolExecutor(1) as pool:
        waiting = deque(pool.submit(make) for _ in range(depth))
        while True:
            waiting.append(pool.submit(make))
            yield waiting.popleft().result()


class SceneBank:
    """The scenes that scenes.py composed: random batches of them, seeded."""

    def __init__(self, data: Path, seed: int):
        described = json.loads((data / "bank/scenes.json").read_text())
        self.scenes, self.rng = described["scenes"], random.Random(seed)
        self.waves = np.memmap(data / "bank/waves.bin", dtype="<i2", mode="r").reshape(len(self.scenes), -1)

    def batch(
        self, size: int, seconds: float = SCENE, anywhere: bool = False, device: torch.device | str = "cpu"
    ) -> tuple[torch.Tensor, list[dict]]:
        """((size, samples) float32 on `device`, descriptions): the first `seconds` of the scenes, or any where no
        caption is used."""
        samples = int(seconds * RATE)
        picks = self.rng.choices(range(len(self.scenes)), k=size)
        crops = [self.crop(i, samples) if anywhere else self.waves[i, :samples] for i in picks]
        return torch.from_numpy(np.stack(crops)).to(device).float() / 32768, [self.scenes[i] for i in picks]

    def crop(self, index: int, samples: int) -> np.ndarray:
        """A random part of a scene; silence is drawn again, twice at most, so that it is not most of what is heard."""
        for _ in range(3):
            start = self.rng.randrange(self.waves.shape[1] - samples + 1)
            part = self.waves[index, start : start + samples]
            if np.abs(part).max() > 300:
                break
        return part


def chord(key: str) -> str:
    """The caption of a strum from its file's name: 'Csharp minor_DOWN_03' is 'a C sharp minor chord on a guitar'."""
    match = re.search(r"/([A-G])(sharp)? ?(major|min(?:or|ro)(?:7b5)?)", key)
    if not match:
        return "-"
    mode = match[3].replace("minro", "minor").replace("minor7b5", "half-diminished")
    return f"a strummed {match[1]}{' sharp' if match[2] else ''} {mode} guitar chord"
