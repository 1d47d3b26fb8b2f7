#!/usr/bin/env python3
"""A sound with partials, glides, noise, strokes and silence, and what librosa makes of its mel spectrogram.

    make_griffinlim_fixture.py ../Audio/griffinlim.safetensors        (numpy, librosa, safetensors)

wave           1.6 s at 16 kHz
logmel         [frames, 64]: FFT 1024, hop 160, Slaney's bands from 0 to 8000 Hz, magnitudes, natural logarithm
convergence    ‖|STFT(y)| − |STFT(wave)|‖ / ‖|STFT(wave)|‖ of librosa's griffinlim, 24 iterations, mean of six
               seeds: from librosa's mel_to_stft, and from 12 Kullback–Leibler updates of the bands' mean
"""
import sys

import librosa
import numpy as np
from safetensors.numpy import save_file

RATE, FFT, HOP = 16000, 1024, 160


def sound():
    time = np.arange(int(1.6 * RATE)) / RATE
    wave = np.zeros_like(time)
    generator = np.random.default_rng(4)
    for harmonic in range(1, 9):  # a steady tone, then one that glides
        wave += 0.1 / harmonic * np.sin(2 * np.pi * 220 * harmonic * time) * (time < 0.5)
        phase = 2 * np.pi * np.cumsum(harmonic * (300 + 250 * time)) / RATE
        wave += 0.1 / harmonic * np.sin(phase) * ((time > 0.5) & (time < 1))
    wave += 0.05 * generator.standard_normal(len(time)) * ((time > 0.9) & (time < 1.2))
    for start in (1.1, 1.25):  # strokes
        decay = np.where(time >= start, np.exp(-60 * np.maximum(time - start, 0)), 0)
        wave += 0.4 * generator.standard_normal(len(time)) * decay
    return (wave * (time < 1.4)).astype(np.float32)


def magnitudes(mel, filters, updates=12):
    gains = 1 / np.maximum(filters.sum(axis=0), 1e-12)[:, None] * (filters.sum(axis=0) > 0)[:, None]
    result = (filters.T @ (mel / filters.sum(axis=1)[:, None])) * gains
    for _ in range(updates):
        result *= (filters.T @ (mel / np.maximum(filters @ result, 1e-12))) * gains
    return result


def main():
    wave = sound()
    spectrum = np.abs(librosa.stft(wave.astype(np.float64), n_fft=FFT, hop_length=HOP, pad_mode="reflect"))
    filters = librosa.filters.mel(sr=RATE, n_fft=FFT, n_mels=64, fmin=0, fmax=8000, dtype=np.float64)
    logmel = np.log(np.maximum(filters @ spectrum, 1e-5))
    mel = np.exp(logmel)

    def convergence(magnitude):
        figures = []
        for seed in range(6):
            found = librosa.griffinlim(magnitude, n_iter=24, hop_length=HOP, random_state=seed)
            again = np.abs(librosa.stft(found, n_fft=FFT, hop_length=HOP, pad_mode="reflect"))
            count = min(again.shape[1], spectrum.shape[1])
            distance = np.linalg.norm(again[:, :count] - spectrum[:, :count])
            figures.append(distance / np.linalg.norm(spectrum[:, :count]))
        return np.mean(figures)

    of_librosa = librosa.feature.inverse.mel_to_stft(mel, sr=RATE, n_fft=FFT, power=1, fmin=0, fmax=8000)
    figures = np.array([convergence(of_librosa), convergence(magnitudes(mel, filters))], np.float32)
    save_file({"wave": wave, "logmel": logmel.T.astype(np.float32).copy(), "convergence": figures}, sys.argv[1])
    print(figures)


if __name__ == "__main__":
    main()
