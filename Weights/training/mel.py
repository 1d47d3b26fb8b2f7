"""The three front ends, in PyTorch, so that they run where training runs.

log_mel     the VAE's: 16 kHz, FFT 1024, hop 160, 64 Slaney mels 0-8000 Hz, magnitude, ln(max(x, 1e-5))
clap_mel    CLAP's: 48 kHz, FFT 1024, hop 480, 64 Slaney mels 50-14000 Hz, power, decibels, 10 s, repeated and padded
kaldi_mel   AudioMAE's: Kaldi fbank, 25 ms Hanning windows every 10 ms, 128 mels from 20 Hz, 1024 frames, normalised
"""

import functools

import numpy as np
import torch

RATE, FFT, HOP, MELS, FLOOR = 16000, 1024, 160, 64, 1e-5
KALDI_MEAN, KALDI_DEVIATION = -4.2677393, 4.5689974  # AudioMAE's


def slaney_filters(rate: int, fft: int, mels: int, low: float, high: float) -> np.ndarray:
    """(mels, fft/2+1) triangles on the Slaney scale (linear below 1 kHz), each of unit area per hertz."""

    def to_mel(f):
        f = np.asarray(f, dtype=np.float64)
        return np.where(f < 1000, 3 * f / 200, 15 + 27 * np.log(np.maximum(f, 1e-9) / 1000) / np.log(6.4))

    def to_hertz(m):
        return np.where(m < 15, 200 * m / 3, 1000 * np.exp(np.log(6.4) * (m - 15) / 27))

    edges = to_hertz(np.linspace(to_mel(low), to_mel(high), mels + 2))
    bins = np.linspace(0, rate / 2, fft // 2 + 1)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))[:, None]


@functools.lru_cache(maxsize=None)
def _constants(device: str) -> tuple[torch.Tensor, torch.Tensor]:
    filters = torch.tensor(slaney_filters(RATE, FFT, MELS, 0, 8000), dtype=torch.float32, device=device)
    return filters, torch.hann_window(FFT, device=device)


def log_mel(wave: torch.Tensor) -> torch.Tensor:
    """(batch, samples) in [-1, 1] to (batch, samples // 160, 64) natural-log mel magnitudes; frame k is centred on 160
    k.

    float32 whatever the autocast context: bf16 would cost the quiet bins."""
    with torch.autocast(wave.device.type, enabled=False):
        mel = torch.einsum("mf,bft->btm", mel_filters(wave.device), magnitudes(wave))
        return torch.log(mel.clamp(min=FLOOR))[:, : wave.shape[-1] // HOP]


def mel_filters(device: torch.device | str) -> torch.Tensor:
    """(64, 513): what each bin gives to each band of log_mel."""
    return _constants(str(device))[0]


def magnitudes(wave: torch.Tensor) -> torch.Tensor:
    """(batch, samples) to (batch, 513, samples // 160 + 1): those that log_mel sums up."""
    window = _constants(str(wave.device))[1]
    return torch.stft(wave.float(), FFT, HOP, FFT, window, center=True, pad_mode="reflect", return_complex=True).abs()


@functools.lru_cache(maxsize=None)
def _clap_constants(device: str) -> tuple[torch.Tensor, torch.Tensor]:
    filters = torch.tensor(slaney_filters(48000, 1024, 64, 50, 14000), dtype=torch.float32, device=device)
    return filters, torch.hann_window(1024, device=device)


def triple(wave: torch.Tensor) -> torch.Tensor:
    """16 kHz to 48 kHz: three times the samples, by zero-padding the spectrum."""
    count = wave.shape[-1]
    return 3 * torch.fft.irfft(torch.fft.rfft(wave), n=3 * count)


def clap_mel(wave: torch.Tensor) -> torch.Tensor:
    """(batch, samples at 16 kHz) to (batch, 1, 1001, 64) decibels: the first 10 s, or as many whole repeats as fit."""
    with torch.autocast(wave.device.type, enabled=False):
        filters, window = _clap_constants(str(wave.device))
        wave = triple(wave.float())[:, :480000]
        wave = wave.repeat(1, 480000 // wave.shape[-1])
        wave = torch.nn.functional.pad(wave, (0, 480000 - wave.shape[-1]))
        spectrum = torch.stft(wave, 1024, 480, 1024, window, center=True, pad_mode="reflect", return_complex=True)
        power = torch.einsum("mf,bft->btm", filters, spectrum.abs().square())
        return (10 * torch.log10(power.clamp(min=1e-10)))[:, None]


def kaldi_filters(mels: int, fft: int, rate: int, low: float) -> np.ndarray:
    """(mels, fft/2+1) triangles that are linear on the HTK mel scale, as Kaldi draws them; the Nyquist bin is
    unused."""

    def to_mel(f):
        return 1127 * np.log(1 + np.asarray(f, dtype=np.float64) / 700)

    edges = np.linspace(to_mel(low), to_mel(rate / 2), mels + 2)
    bins = to_mel(np.arange(fft // 2 + 1) * rate / fft)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    filters = np.maximum(0, np.minimum(rising, falling))
    filters[:, -1] = 0
    return filters


@functools.lru_cache(maxsize=None)
def _kaldi_constants(device: str) -> tuple[torch.Tensor, torch.Tensor]:
    filters = torch.tensor(kaldi_filters(128, 512, RATE, 20), dtype=torch.float32, device=device)
    return filters, torch.hann_window(400, periodic=False, device=device)


def kaldi_mel(wave: torch.Tensor, frames: int = 1024) -> torch.Tensor:
    """(batch, samples at 16 kHz) to AudioMAE's picture (batch, 1, frames, 128)."""
    with torch.autocast(wave.device.type, enabled=False):
        filters, window = _kaldi_constants(str(wave.device))
        wave = wave.float()
        pieces = (wave - wave.mean(-1, keepdim=True)).unfold(-1, 400, 160)[:, :frames]
        pieces = pieces - pieces.mean(-1, keepdim=True)
        before = torch.cat([pieces[..., :1], pieces[..., :-1]], -1)
        spectrum = torch.fft.rfft((pieces - 0.97 * before) * window, n=512)
        mel = torch.log((spectrum.abs().square() @ filters.T).clamp(min=torch.finfo(torch.float32).eps))
        mel = torch.nn.functional.pad(mel, (0, 0, 0, frames - mel.shape[1]))
        return ((mel - KALDI_MEAN) / (2 * KALDI_DEVIATION))[:, None]
