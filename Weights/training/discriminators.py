"""Small discriminators, used in training only, each with one stack of strided convolutions: for the vocoder multi-period
(HiFi-GAN) and multi-resolution spectrogram (UnivNet), for the VAE's decoder one that looks at patches of mels (VQGAN)."""

import torch
from torch.nn.functional import leaky_relu, pad
from torch.nn.utils.parametrizations import weight_norm


class PeriodDiscriminator(torch.nn.Module):
    """Looks at every p-th sample: (batch, samples) folded to (batch, 1, samples / p, p)."""

    def __init__(self, period: int, width: int):
        super().__init__()
        self.period = period
        sizes = [1, width, 2 * width, 4 * width, 4 * width]
        self.layers = torch.nn.ModuleList(
            weight_norm(torch.nn.Conv2d(a, b, (5, 1), (3, 1), (2, 0))) for a, b in zip(sizes, sizes[1:])
        )
        self.last = weight_norm(torch.nn.Conv2d(sizes[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, wave: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        x = pad(wave, (0, -wave.shape[-1] % self.period), mode="constant").unflatten(-1, (-1, self.period))[:, None]
        kept = []
        for layer in self.layers:
            x = leaky_relu(layer(x), 0.1)
            kept.append(x)
        return self.last(x), kept


class SpectrumDiscriminator(torch.nn.Module):
    """Looks at the magnitudes of one STFT resolution as a picture."""

    def __init__(self, fft: int, width: int):
        super().__init__()
        self.fft = fft
        self.register_buffer("window", torch.hann_window(fft), persistent=False)
        sizes = [1, width, width, width, width]
        self.layers = torch.nn.ModuleList(
            weight_norm(torch.nn.Conv2d(a, b, (3, 5), (1, 2), (1, 2))) for a, b in zip(sizes, sizes[1:])
        )
        self.last = weight_norm(torch.nn.Conv2d(width, 1, (3, 3), padding=(1, 1)))

    def forward(self, wave: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        with torch.autocast(wave.device.type, enabled=False):
            spectrum = torch.stft(wave.float(), self.fft, self.fft // 4, window=self.window, return_complex=True).abs()
        x, kept = spectrum.transpose(1, 2)[:, None], []
        for layer in self.layers:
            x = leaky_relu(layer(x), 0.1)
            kept.append(x)
        return self.last(x), kept


class MelDiscriminator(torch.nn.Module):
    """Looks at log-mels (batch, 1, frames, 64): is the texture of each patch that of a sound?  One (score, features)
    pair, in a list."""

    def __init__(self, width: int = 16):
        super().__init__()
        sizes, strides = [3, width, 2 * width, 4 * width, 4 * width], [1, 2, 2, 2]
        layers = [torch.nn.Conv2d(a, b, 3, s, 1) for a, b, s in zip(sizes, sizes[1:], strides)]
        for layer in layers:  # the class's own start would leave too little of the mel for the last ones
            torch.nn.init.kaiming_normal_(layer.weight, 0.1)
            torch.nn.init.zeros_(layer.bias)
        self.layers = torch.nn.ModuleList(map(weight_norm, layers))
        self.last = weight_norm(torch.nn.Conv2d(sizes[-1], 1, 3, padding=1))

    def forward(self, mel: torch.Tensor) -> list[tuple[torch.Tensor, list[torch.Tensor]]]:
        steps = pad(mel.diff(dim=2), (0, 0, 1, 0)), pad(mel.diff(dim=3), (1, 0))  # texture, said outright
        x, kept = torch.cat([(mel + 5) / 3, *(4 * s for s in steps)], 1), []
        for layer in self.layers:
            x = leaky_relu(layer(x), 0.1)
            kept.append(x)
        return [(self.last(x), kept)]


class Discriminators(torch.nn.Module):
    """The vocoder's; returns one (score, features) pair for each."""

    def __init__(self, width: int = 16):
        super().__init__()
        self.parts = torch.nn.ModuleList(
            [PeriodDiscriminator(p, width) for p in (2, 3, 5, 7, 11)]
            + [SpectrumDiscriminator(f, width) for f in (256, 512, 1024)]
        )

    def forward(self, wave: torch.Tensor) -> list[tuple[torch.Tensor, list[torch.Tensor]]]:
        return [part(wave) for part in self.parts]


def discriminator_loss(real, made) -> torch.Tensor:
    """Least squares: real towards 1, made towards 0."""
    return sum(((r - 1) ** 2).mean() + (m**2).mean() for (r, _), (m, _) in zip(real, made))


def generator_losses(real, made) -> tuple[torch.Tensor, torch.Tensor]:
    """(adversarial, feature matching)."""
    adversarial = sum(((m - 1) ** 2).mean() for m, _ in made)
    matching = sum((a.detach() - b).abs().mean() for (_, r), (_, m) in zip(real, made) for a, b in zip(r, m))
    return adversarial, matching
