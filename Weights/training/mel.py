"""The VAE's mel spectrogram: 16 kHz, FFT 1024, hop 160, 64 Slaney mels 0-8000 Hz, magnitude, ln(max(x, 1e-5))."""
import functools

import numpy as np
import torch

RATE, FFT, HOP, MELS, FLOOR = 16000, 1024, 160, 64, 1e-5


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
    """(batch, samples) in [-1, 1] to (batch, samples // 160, 64) natural-log mel magnitudes; frame k is centred on 160 k.

    float32 whatever the autocast context: bf16 would cost the quiet bins."""
    with torch.autocast(wave.device.type, enabled=False):
        filters, window = _constants(str(wave.device))
        spectrum = torch.stft(wave.float(), FFT, HOP, FFT, window, center=True, pad_mode="reflect", return_complex=True)
        mel = torch.einsum("mf,bft->btm", filters, spectrum.abs())
        return torch.log(mel.clamp(min=FLOOR))[:, :wave.shape[-1] // HOP]
