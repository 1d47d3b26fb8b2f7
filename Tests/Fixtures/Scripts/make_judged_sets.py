#!/usr/bin/env python3
"""Figures of 24 + 24 sounds under each protocol, for Tests/AudioLDM2Tests/JudgedSetTests.swift, which makes the same sounds.

    make_judged_sets.py ../Judges ../Evaluation/judged.json

The judges are the small ones of make_judges.py; files are read, cut and compared as each package does it, by its own code where
that can be run by itself. Needs what make_judges.py and make_evaluation_fixtures.py need.
"""
import json
import sys
import tempfile
from pathlib import Path

import julius
import numpy as np
import scipy.linalg
import soundfile
import torch
import torchaudio

import make_evaluation_fixtures
import make_judges

COUNT = 24


def sound(index, generated):
    """As JudgedSetTests.swift makes it: interleaved channels in steps of 16 bits, and their rate."""
    rate, channels = (16000, 44100, 32000)[index % 3], 2 if index % 4 == 0 else 1
    seconds = 10.3 if index == COUNT - 1 else 1.2 + 0.15 * (index % 6)
    time = np.arange(int(seconds * rate)) / rate
    pitch = 110 * 2 ** (index / 6) * (1.04 if generated else 1)
    state, noise = index * 2 + (1 if generated else 0) + 1, np.empty(len(time))
    for place in range(len(time)):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        noise[place] = state / 2147483648 - 1
    level = 0.05 + 0.02 * (index % 5) + (0.03 if generated else 0)
    wave = 0.3 * np.sin(2 * np.pi * pitch * time) * (0.6 + 0.4 * np.sin(2 * np.pi * (1 + index % 3) * time)) + level * noise
    return np.stack([np.rint(wave * (1 - 0.3 * c) * 32768) / 32768 for c in range(channels)], axis=1).astype(np.float32), rate


def mono(path):
    wave, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return torch.from_numpy(wave).mean(dim=1), rate


def toolkit(path, rate):
    """fadtk's and kadtk's loader: Kaiser's window, 16 bits."""
    wave, own = mono(path)
    if own != rate:
        wave = torchaudio.transforms.Resample(own, rate, lowpass_filter_width=64, rolloff=0.9475937167399596,
                                              resampling_method="sinc_interp_kaiser", beta=14.769656459379492)(wave[None])[0]
    return torch.clamp(torch.round(wave * 32768), -32768, 32767) / 32768


def audiocraft(path, rate):
    """Its segments: ten seconds each, a rest of more than 0.15 s as it is."""
    wave, own = mono(path)
    wave = julius.resample_frac(wave[None], own, rate)[0]
    pieces = wave.split(10 * rate)
    return [piece for piece in pieces if len(piece) == 10 * rate or len(piece) > 0.15 * rate]


def pictures(sets, rate):
    """audioldm_eval's PSNR and SSIM of mel pictures, with its dataset's front end."""
    import librosa
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity
    make_judges.package("audioldm_eval")
    make_judges.package("audioldm_eval.audio")
    make_judges.package("audioldm_eval.datasets")
    from audioldm_eval.audio import stft
    from audioldm_eval.datasets.load_mel import MelPairedDataset
    # As librosa was called before 0.10.
    stft.pad_center = lambda window, size: librosa.util.pad_center(window, size=size)
    stft.librosa_mel_fn = lambda rate, length, bands, low, high: librosa.filters.mel(
        sr=rate, n_fft=length, n_mels=bands, fmin=low, fmax=high)

    def load(path):
        wave, own = soundfile.read(path, dtype="float32", always_2d=True)
        return torch.from_numpy(wave.T.copy()), own
    torchaudio.load = load
    length, high = (512, 8000) if rate == 16000 else (1024, 14000)
    front = stft.TacotronSTFT(length, rate // 100, length, 64, rate, 50, high)
    found = []
    dataset = MelPairedDataset(*(path[0].parent for path in sets), front, rate)
    for mel, target, _, _ in (dataset[index] for index in range(len(dataset))):
        extent = max(mel.max(), target.max()) - min(mel.min(), target.min())
        found.append((peak_signal_noise_ratio(mel, target), structural_similarity(mel, target, data_range=extent)))
    return dict(zip(("psnr", "ssim"), np.mean(found, axis=0).tolist()))


def frechet(x, y):
    x, y = x.double().numpy(), y.double().numpy()
    (m1, c1), (m2, c2) = ((z.mean(0), np.cov(z, rowvar=False)) for z in (x, y))
    return float(((m1 - m2) ** 2).sum() + np.trace(c1) + np.trace(c2) - 2 * np.trace(scipy.linalg.sqrtm(c1 @ c2)).real)


def figures(folder, sets):
    of = make_evaluation_fixtures.packages()
    sounds = sorted((folder / "sounds").glob("*.wav"))

    def calibration(rate):
        waves = [make_judges.heard(path, rate)[: 2 * rate] for path in sounds if path.stem in ("speech", "noise", "tone")]
        return torch.stack([torch.nn.functional.pad(wave, (0, 2 * rate - len(wave))) for wave in waves])
    judges = {}
    for name in ("vggish", "cnn14-16k", "cnn14", "passt"):
        rate, judge, (file, contents) = make_judges.JUDGES[name]("tiny", calibration)
        stored = torch.load(folder / name / file, weights_only=False)
        ours, theirs = (state.get("model", state) for state in (contents, stored))
        assert all(torch.allclose(ours[key].float(), theirs[key].float(), 1e-4, 1e-5) for key in theirs), "the fixture was made by another version of this"
        judges[name] = (rate, judge)

    def hear(name, prepare):
        """Of both sets, a list of (embeddings, logits) for each sound."""
        rate, judge = judges[name]
        return [[judge(prepare(path, rate)) for path in paths] for paths in sets]

    def rows(heard, part=0):
        return torch.cat([sound[part] for sound in heard])
    found = {}

    eval_ = lambda path, rate: make_judges.heard(path, rate)
    x, y = hear("vggish", eval_)
    found["audioldm_eval"] = {"vggish": {"frechet_distance": frechet(rows(x), rows(y))}}
    x, y = hear("cnn14-16k", eval_)
    names = [path.name for path in sets[0]]
    logits = [{"logits": rows(z, 1), "file_path_": names} for z in (x, y)]
    kl = of["kl"].calculate_kl(*logits, "logits", True)[0]
    embeddings = [{"f": rows(z)} for z in (x, y)]
    kid = of["kid"].calculate_kid(*embeddings, 100, COUNT, 3, None, 1, 2020, "f")
    found["audioldm_eval"]["cnn14-16k"] = {
        "frechet_distance": of["fid"].calculate_fid(*embeddings, "f")["frechet_distance"],
        "kl_softmax": kl["kullback_leibler_divergence_softmax"], "kl_sigmoid": kl["kullback_leibler_divergence_sigmoid"],
        "inception_score": of["isc"].calculate_isc(logits[0], "logits", 2020, True, 10)["inception_score_mean"],
        "kid": kid["kernel_inception_distance_mean"], **pictures(sets, 16000)}

    def first(path, rate):
        return make_judges.heard(path, rate, least=10 * rate)[: 10 * rate]
    x, y = hear("passt", first)
    logits = [{"logits": rows(z, 1), "file_path_": names} for z in (x, y)]
    kl = of["kl"].calculate_kl(*logits, "logits", True)[0]
    found["audioldm2"] = {"passt": {"kl_softmax": kl["kullback_leibler_divergence_softmax"],
                                    "kl_sigmoid": kl["kullback_leibler_divergence_sigmoid"], **pictures(sets, 32000)}}

    # audiocraft's KLDivergenceMetric: of probabilities, over all segments.
    rate, judge = judges["passt"]
    probabilities = [torch.cat([judge(piece)[1].softmax(-1) for path in paths for piece in audiocraft(path, rate)]) for paths in sets]
    divergence = torch.nn.functional.kl_div((probabilities[0] + 1e-6).log(), probabilities[1], reduction="sum")
    found["audiocraft"] = {"passt": {"kl_softmax": float(divergence / len(probabilities[0]))}}

    x, y = ([sound[0].half().numpy() for sound in z] for z in hear("vggish", toolkit_padded))
    fad = of["fad"]
    statistics = lambda z: fad.calc_embd_statistics(np.concatenate(z).astype(np.float64))
    found["fadtk"] = {"vggish": {"frechet_distance": float(np.real(fad.calc_frechet_distance(*statistics(y), *statistics(x))))}}
    x, y = (torch.cat([sound[0].half().float() for sound in z]) for z in hear("cnn14", toolkit))
    kad = of["kad"].calc_kernel_audio_distance(y, x, (None, None), "cpu")
    found["kadtk"] = {"cnn14": {"kad": float(kad)}}
    return found


def toolkit_padded(path, rate):
    """fadtk's VGGish hears at least a second."""
    wave = toolkit(path, rate)
    return torch.nn.functional.pad(wave, (0, max(rate - len(wave), 0)))


@torch.no_grad()
def main():
    with tempfile.TemporaryDirectory() as temporary:
        sets = []
        for name in ("generated", "reference"):
            place = Path(temporary) / name
            place.mkdir()
            for index in range(COUNT):
                wave, rate = sound(index, name == "generated")
                soundfile.write(place / f"{index:02}.wav", wave, rate, subtype="FLOAT")
            sets.append(sorted(place.glob("*.wav")))
        found = figures(Path(sys.argv[1]), sets)
    Path(sys.argv[2]).write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
