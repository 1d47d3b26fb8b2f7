"""Checks mel.py against librosa and transformers' feature extractors: python3 test_mel.py."""

import librosa
import numpy as np
import torch
from transformers import ASTFeatureExtractor

from mel import FFT, FLOOR, HOP, MELS, RATE, clap_mel, kaldi_mel, log_mel, slaney_filters, triple
from models import clap_features


def signal(seconds: float) -> np.ndarray:
    """Noise and a tone with a silent part, within CLAP's and the VAE's band."""
    wave = np.random.default_rng(0).standard_normal(int(seconds * RATE)).astype(np.float32) * 0.1
    wave += 0.2 * np.sin(np.arange(len(wave)) * 0.2).astype(np.float32)
    wave[4000:8000] = 0
    return wave


def check(name: str, ours: np.ndarray, reference: np.ndarray, limit: float):
    assert ours.shape == reference.shape, (name, ours.shape, reference.shape)
    error = np.abs(ours - reference).max()
    assert error < limit, (name, error)
    print(f"{name} agrees to {error:.1e}")


def main():
    wave = signal(3.0)
    batch = torch.from_numpy(wave)[None]
    filters = librosa.filters.mel(sr=RATE, n_fft=FFT, n_mels=MELS, fmin=0, fmax=8000)
    check("Slaney filters", slaney_filters(RATE, FFT, MELS, 0, 8000), filters, 1e-6)
    mel = librosa.feature.melspectrogram(
        y=wave, sr=RATE, n_fft=FFT, hop_length=HOP, n_mels=MELS, fmin=0, fmax=8000, power=1.0, pad_mode="reflect"
    )
    check("log-mel (librosa)", log_mel(batch)[0].numpy(), np.log(np.maximum(mel, FLOOR)).T[: len(wave) // HOP], 2e-3)
    features = clap_features()(triple(batch)[0].numpy(), sampling_rate=48000, return_tensors="np").input_features[0]
    check("CLAP mel (transformers)", clap_mel(batch)[0].numpy(), features, 2e-2)
    ast = ASTFeatureExtractor(max_length=1024, mean=-4.2677393, std=4.5689974, do_normalize=True)
    features = ast(wave - wave.mean(), sampling_rate=RATE, return_tensors="np").input_values[0]
    # the extractor pads after the logarithm, as AudioMAE does
    check("Kaldi mel (transformers)", kaldi_mel(batch)[0, 0].numpy(), features, 2e-3)


if __name__ == "__main__":
    main()
