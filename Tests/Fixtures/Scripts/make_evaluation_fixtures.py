#!/usr/bin/env python3
"""Figures of the evaluation packages on small made-up sets, for Tests/EvaluationTests.

    make_evaluation_fixtures.py ../Evaluation

Needs numpy, scipy < 1.18, torch, torchaudio, julius, librosa, soundfile, safetensors, ffmpeg, and the packages
themselves, of which single modules are run: pip install --no-deps audioldm_eval==0.0.3 kadtk==1.1.0 fadtk==1.1.0.

sets.safetensors     embeddings and logits, float32; resampled noise
expected.json        what the packages (and where scipy is wrong, numpy's singular values) make of them; loudness by ffmpeg
"""
import importlib.util
import json
import re
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import julius
import librosa
import numpy as np
import scipy.linalg
import soundfile
import torch
import torchaudio
from safetensors.numpy import save_file


def module(package, name):
    """One module of an installed package, without what it imports beside it."""
    root = next(path for path in (Path(entry) / package for entry in sys.path) if path.is_dir())
    spec = importlib.util.spec_from_file_location(f"{package}.{name}", root / (name.replace(".", "/") + ".py"))
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def stub(name, **members):
    loaded = types.ModuleType(name)
    loaded.__dict__.update(members)
    sys.modules[name] = loaded


def packages():
    nothing = lambda *a, **k: None
    stub("hypy_utils", write=nothing)
    stub("hypy_utils.tqdm_utils", tmap=nothing, tq=lambda x, **k: x)
    stub("hypy_utils.logging_utils", setup_logger=lambda *a, **k: __import__("logging").getLogger("stub"))
    for name in ("kadtk", "fadtk"):
        stub(name, __path__=[])
        stub(f"{name}.emb_loader", EmbeddingLoader=object)
        stub(f"{name}.model_loader", ModelLoader=object)
        stub(f"{name}.utils", PathLike=str, find_sox_formats=nothing)
    return {"kad": module("kadtk", "kad"), "fad": module("fadtk", "fad"),
            **{key: module("audioldm_eval", f"metrics.{key}") for key in ("kid", "isc", "fid", "kl")}}


def embeddings(generator, rows, width, shift):
    mix = np.random.default_rng(7).standard_normal((width, width)) * 0.3
    values = generator.standard_normal((rows, width)) @ (mix + np.diag(np.linspace(0.05, 2, width))) + shift
    return np.maximum(values + 0.5, 0).astype(np.float32)


def nuclear(x, y):
    """The Fréchet distance without a square root of a matrix."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    cx, cy = x - x.mean(0), y - y.mean(0)
    cross = np.linalg.svd(cx @ cy.T, compute_uv=False).sum() / np.sqrt((len(x) - 1) * (len(y) - 1))
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + (cx ** 2).sum() / (len(x) - 1) + (cy ** 2).sum() / (len(y) - 1)
                 - 2 * cross)


def infinity(fad, reference, evaluated, seed, steps, least):
    """fadtk's score_inf, with a seed and on arrays."""
    np.random.seed(seed)
    base = fad.calc_embd_statistics(reference)
    points = []
    for n in [int(n) for n in np.linspace(least, len(evaluated), steps)]:
        drawn = evaluated[np.random.choice(evaluated.shape[0], size=n, replace=True)]
        points.append((n, float(np.real(fad.calc_frechet_distance(*base, *fad.calc_embd_statistics(drawn))))))
    xs, ys = 1 / np.array([p[0] for p in points]), np.array([p[1] for p in points])
    slope, intercept = np.polyfit(xs, ys, 1)
    r2 = 1 - np.sum((ys - (slope * xs + intercept)) ** 2) / np.sum((ys - np.mean(ys)) ** 2)
    return {"value": float(intercept), "slope": float(slope), "r2": float(r2), "points": points}


def lsd(estimate, target, rate):
    """ssr_eval's AudioMetrics.lsd on its own spectrograms."""
    def spectrogram(wave):
        return np.abs(librosa.stft(wave.astype(np.float64), hop_length=int(rate / 100), n_fft=int(2048 / (44100 / rate)))).T
    e, t = spectrogram(estimate), spectrogram(target)
    value = np.log10(t ** 2 / ((e + 1e-12) ** 2) + 1e-12) ** 2
    return float(np.mean(np.mean(value, axis=1) ** 0.5))


def loudness_signal(rate, channels, seconds, kind):
    """What LoudnessTests.swift makes too."""
    count = int(rate * seconds)
    time = np.arange(count) / rate
    state, noise = 12345, np.empty(count)
    for index in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        noise[index] = state / 2147483648 - 1
    tone = 0.25 * np.sin(2 * np.pi * 440 * time) + 0.1 * np.sin(2 * np.pi * min(3000, 0.4 * rate) * time)
    if kind == "tone":
        wave = tone
    elif kind == "noise":
        wave = 0.2 * noise
    else:  # loud, quiet, almost nothing: what the gates are for
        wave = tone * np.where(time < seconds / 3, 1, np.where(time < 2 * seconds / 3, 0.05, 0.0001)) + 0.01 * noise * (time < 2)
    return np.stack([wave * (1 - 0.15 * c) for c in range(channels)], axis=1)


def ebur128(signal, rate):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/x.wav"
        soundfile.write(path, signal, rate, subtype="FLOAT")
        log = subprocess.run(["ffmpeg", "-hide_banner", "-nostats", "-i", path, "-filter_complex", "ebur128", "-f", "null", "-"],
                             capture_output=True, text=True).stderr
    return float(re.findall(r"I:\s+(-?[\d.]+) LUFS", log)[-1])


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    of = packages()
    generator = np.random.default_rng(0)
    sets, expected = {}, {}
    for name, rows, width in (("full", 150, 20), ("wide", 24, 64)):
        sets[f"{name}.reference"] = embeddings(generator, rows, width, 0)
        sets[f"{name}.generated"] = embeddings(generator, rows, width, 0.3)
    sets["long.generated"] = embeddings(generator, 600, 12, 0.2)
    sets["long.reference"] = embeddings(generator, 300, 12, 0)
    sets["logits.reference"] = (3 * generator.standard_normal((24, 40))).astype(np.float32)
    sets["logits.generated"] = (sets["logits.reference"] + generator.standard_normal((24, 40))).astype(np.float32)

    for name in ("full", "wide"):
        x, y = sets[f"{name}.generated"], sets[f"{name}.reference"]
        stats = lambda z: (np.mean(z.astype(np.float64), axis=0), np.cov(z, rowvar=False))
        entry = {"nuclear": nuclear(x, y)}
        if name == "full":
            (m1, c1), (m2, c2) = stats(x), stats(y)
            entry["scipy"] = float(((m1 - m2) ** 2).sum() + np.trace(c1) + np.trace(c2)
                                   - 2 * np.trace(scipy.linalg.sqrtm(c1 @ c2)).real)
            entry["audioldmEval"] = of["fid"].calculate_fid({"f": torch.from_numpy(x)}, {"f": torch.from_numpy(y)}, "f")["frechet_distance"]
            entry["fadtk"] = float(np.real(of["fad"].calc_frechet_distance(*of["fad"].calc_embd_statistics(y),
                                                                           *of["fad"].calc_embd_statistics(x))))
        else:
            (m1, c1), (m2, c2) = stats(x), stats(y)
            root = scipy.linalg.sqrtm(c1 @ c2)
            entry["scipyImaginary"] = float(np.abs(np.imag(root)).max())
        kid = of["kid"].calculate_kid({"f": torch.from_numpy(x)}, {"f": torch.from_numpy(y)}, 100, 60, 3, None, 1, 2020, "f")
        entry["kid"] = [kid["kernel_inception_distance_mean"], kid["kernel_inception_distance_std"]]
        kad = of["kad"].calc_kernel_audio_distance(torch.from_numpy(y), torch.from_numpy(x), (None, None), "cpu")
        entry["kad"] = float(kad)
        entry["bandwidth"] = float(of["kad"].median_pairwise_distance(torch.from_numpy(x)))
        expected[name] = entry
    expected["infinity"] = infinity(of["fad"], sets["long.reference"], sets["long.generated"], 3, 10, 100)

    generated, reference = (torch.from_numpy(sets[f"logits.{n}"]) for n in ("generated", "reference"))
    names = [f"{i}.wav" for i in range(24)]
    kl = of["kl"].calculate_kl({"logits": generated, "file_path_": names}, {"logits": reference, "file_path_": names},
                               "logits", True)[0]
    expected["kl"] = {"softmax": kl["kullback_leibler_divergence_softmax"], "sigmoid": kl["kullback_leibler_divergence_sigmoid"]}
    score = of["isc"].calculate_isc({"logits": generated}, "logits", 2020, True, 10)
    expected["inception"] = [score["inception_score_mean"], score["inception_score_std"]]
    random = np.random.RandomState(2020)
    expected["random"] = {"permutation": random.permutation(30).tolist(), "choice": random.choice(1000, 12).tolist(),
                          "uniform": random.random_sample(3).tolist()}

    time = np.arange(8000) / 16000
    target = (0.3 * np.sin(2 * np.pi * 440 * time) + 0.05 * generator.standard_normal(8000)).astype(np.float32)
    estimate = (0.2 * np.sin(2 * np.pi * 470 * time) + 0.06 * generator.standard_normal(8000)).astype(np.float32)
    sets["lsd.target"], sets["lsd.estimate"] = target, estimate
    expected["lsd"] = {str(rate): lsd(estimate, target, rate) for rate in (16000, 44100, 48000)}

    wave = (0.5 * generator.standard_normal(700)).astype(np.float32)
    sets["resample.in"] = wave
    for source, goal in ((44100, 16000), (48000, 16000), (16000, 32000), (32000, 48000), (22050, 16000)):
        x = torch.from_numpy(wave)
        sets[f"resample.hann.{source}.{goal}"] = torchaudio.functional.resample(x[None], source, goal)[0].numpy()
        kaiser = torchaudio.transforms.Resample(source, goal, lowpass_filter_width=64, rolloff=0.9475937167399596,
                                                resampling_method="sinc_interp_kaiser", beta=14.769656459379492)
        sets[f"resample.kaiser.{source}.{goal}"] = kaiser(x[None])[0].numpy()
        sets[f"resample.julius.{source}.{goal}"] = julius.resample_frac(x[None], source, goal)[0].numpy()

    expected["loudness"] = [
        {"rate": rate, "channels": channels, "seconds": seconds, "kind": kind,
         "lufs": ebur128(loudness_signal(rate, channels, seconds, kind), rate)}
        for rate, channels, seconds, kind in (
            (48000, 1, 5, "tone"), (48000, 2, 9, "gated"), (44100, 2, 4, "noise"), (16000, 1, 9, "gated"), (16000, 1, 3, "noise"),
            (8000, 1, 4, "noise"), (96000, 2, 3, "noise"), (48000, 6, 3, "noise"), (22050, 1, 6, "tone"))]
    save_file({k: np.ascontiguousarray(v) for k, v in sets.items()}, folder / "sets.safetensors")
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
