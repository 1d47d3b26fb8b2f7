#!/usr/bin/env python3
"""Resampled sounds and spectrograms as numpy, torch and librosa make them, for Tests/AudioTests.

    make_audio_fixtures.py ../Audio/reference.safetensors        (numpy, torch, librosa, soundfile, safetensors)

resample.FROM.TO.in, .out            periodic noise below 0.4 of the lower rate, and its Fourier series at the times of
                                     the new rate
mel.wave, mel.logmel                 half a second at 16 kHz, and TacotronSTFT of the AudioLDM authors, as torch and
                                     librosa compute it; mel.short.* for 10 ms, where the mirror repeats

and beside it tone.mp3: half a second of 300 Hz in stereo at 44.1 kHz.
"""
import sys
from pathlib import Path

import librosa
import numpy as np
import soundfile
import torch
from safetensors.numpy import save_file

RATES = [(8000, 16000), (11025, 16000), (22050, 48000), (16000, 48000), (44100, 16000), (44100, 48000),
         (48000, 16000), (96000, 16000), (192000, 48000), (47999, 16000)]


def noise(rate, seconds, limit, generator):
    """Noise without anything above `limit` Hz."""
    count = int(rate * seconds)
    spectrum = np.fft.rfft(generator.standard_normal(count))
    spectrum[np.fft.rfftfreq(count, 1 / rate) > limit] = 0
    samples = np.fft.irfft(spectrum, count)
    return (0.5 * samples / np.abs(samples).max()).astype(np.float32)


def series(wave, source, target):
    """The trigonometric polynomial through `wave` at every multiple of 1 / target."""
    amplitudes = np.fft.rfft(wave.astype(np.float64)) / len(wave)
    amplitudes[1:] *= 2
    times = np.arange(-(-len(wave) * target // source)) / target
    angles = 2j * np.pi * np.outer(times, np.arange(len(amplitudes))) * source / len(wave)
    return (np.exp(angles) @ amplitudes).real.astype(np.float32)


def logmel(wave, rate=16000, length=1024, hop=160, bands=64, low=0, high=8000):
    # numpy mirrors more than once where torch refuses; elsewhere they agree.
    padded = torch.from_numpy(np.pad(wave.astype(np.float64), length // 2, mode="reflect"))
    spectrum = torch.stft(padded, length, hop, window=torch.hann_window(length, dtype=torch.float64), center=False,
                          return_complex=True).abs()
    filters = librosa.filters.mel(sr=rate, n_fft=length, n_mels=bands, fmin=low, fmax=high, dtype=np.float64)
    return torch.log(torch.clamp(torch.from_numpy(filters) @ spectrum, min=1e-5)).T.float().contiguous().numpy()


def main():
    generator = np.random.default_rng(0)
    tensors = {}
    for source, target in RATES:
        wave = noise(source, 0.1, 0.4 * min(source, target), generator)
        tensors[f"resample.{source}.{target}.in"] = wave
        tensors[f"resample.{source}.{target}.out"] = series(wave, source, target)
    time = np.arange(8000) / 16000
    wave = (0.3 * np.sin(2 * np.pi * 440 * time * (1 + time)) * np.exp(-3 * time)
            + 1e-4 * generator.standard_normal(8000)).astype(np.float32)
    tensors["mel.wave"], tensors["mel.logmel"] = wave, logmel(wave)
    tensors["mel.short.wave"], tensors["mel.short.logmel"] = wave[:160].copy(), logmel(wave[:160])
    save_file(tensors, sys.argv[1])
    tone = 0.4 * np.sin(2 * np.pi * 300 * np.arange(22050) / 44100)
    soundfile.write(Path(sys.argv[1]).parent / "tone.mp3", np.stack([tone, tone / 2], axis=1), 44100)


if __name__ == "__main__":
    main()
