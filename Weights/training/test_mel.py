"""Checks mel.py against librosa: python3 test_mel.py."""
import librosa
import numpy as np
import torch

from mel import FFT, FLOOR, HOP, MELS, RATE, log_mel, slaney_filters


def main():
    wave = np.random.default_rng(0).standard_normal(RATE).astype(np.float32) * 0.1
    wave[4000:8000] = 0
    ours = log_mel(torch.from_numpy(wave)[None])[0].numpy()
    reference = librosa.feature.melspectrogram(y=wave, sr=RATE, n_fft=FFT, hop_length=HOP, n_mels=MELS, fmin=0, fmax=8000,
                                               power=1.0, pad_mode="reflect")
    reference = np.log(np.maximum(reference, FLOOR)).T[:RATE // HOP]
    filters = librosa.filters.mel(sr=RATE, n_fft=FFT, n_mels=MELS, fmin=0, fmax=8000)
    assert np.abs(filters - slaney_filters(RATE, FFT, MELS, 0, 8000)).max() < 1e-7
    assert ours.shape == reference.shape, (ours.shape, reference.shape)
    error = np.abs(ours - reference).max()
    assert error < 2e-3, error
    print(f"log-mel agrees with librosa to {error:.1e}")


if __name__ == "__main__":
    main()
