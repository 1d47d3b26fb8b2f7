"""A linear VAE to start from: the encoder finds what 8 x 8 pieces of log-mels vary in most (their principal components),
the decoder undoes it as well as a linear map of its shape can.  Both are set into the published class rather than trained
there.  On a CPU this is worth hours: the latents are there at once and never change, so that the UNet can be trained beside the
decoder; and the decoder begins where 2,000 steps from random weights would not bring it.

How a linear map lies in that class.  Blocks add nothing to what passes them when their second convolution is zero; a
convolution of stride two gathers four neighbours into channels; silu(x) - silu(-x) = x; and a group that holds large constants
beside x and -x is divided by the constants' deviation, whatever x is.
"""

import time

import torch
from diffusers import AutoencoderKL

from common import decayed

CONSTANT = 16.0  # in a group beside what has deviation 1, which is then a few thousandths of the group's variance
SPREAD = 0.4  # latents deviate as their components to this power: the schedule's noise hides fine detail first
NOISE = 0.05  # the posterior's deviation


@torch.no_grad()
def set_principal_encoder(vae: AutoencoderKL, mels: torch.Tensor) -> torch.Tensor:
    """Set the encoder from log-mels (n, frames, 64).  Returns the components' deviations in mel units (latents)."""
    encoder, count = vae.encoder, vae.config.latent_channels
    blocks = encoder.down_blocks
    _pass_through(blocks, encoder.mid_block)
    _zero(encoder.conv_in)
    encoder.conv_in.weight[0, 0, 1, 1] = 1 / mels.std()
    encoder.conv_in.bias[0] = -mels.mean() / mels.std()
    for level, block in enumerate(blocks[:-2]):
        gather = block.downsamplers[0].conv
        _zero(gather)
        for channel in range(4**level):
            for place in range(4):
                gather.weight[4 * channel + place, channel, place // 2, place % 2] = 1
    used = 4 ** (len(blocks) - 2)
    values, vectors, mean = _principal(_pieces(encoder, mels, used))
    deviations = values[:count].clamp(min=1e-8).sqrt()
    white = (vectors[:, :count] / deviations).T  # (components, pieces' values)
    last = blocks[-2].downsamplers[0].conv
    _zero(last)
    size = last.out_channels // encoder.conv_norm_out.num_groups
    each = count // encoder.conv_norm_out.num_groups
    plus = torch.cat([g * size + 2 * torch.arange(each) for g in range(encoder.conv_norm_out.num_groups)])
    constants = torch.ones(last.out_channels, dtype=torch.bool)
    for channels, sign in ((plus, 1), (plus + 1, -1)):
        last.weight[channels, :used, :2, :2] = sign * white.view(count, used, 2, 2)
        last.bias[channels] = -sign * white @ mean
        constants[channels] = False
    last.bias[constants] = CONSTANT * (1 - 2 * (torch.arange(int(constants.sum())) % 2)).float()
    variance = (2 * each + CONSTANT**2 * (size - 2 * each)) / size
    norm = encoder.conv_norm_out
    norm.bias.zero_()
    norm.weight.copy_(~constants * variance**0.5)
    _zero(encoder.conv_out)
    rows, gains = torch.arange(count), (deviations / deviations[0]) ** SPREAD
    for channels, sign in ((plus, 1), (plus + 1, -1)):
        encoder.conv_out.weight[rows, channels, 1, 1] = sign * gains
    encoder.conv_out.bias[count:] = 2 * torch.tensor(NOISE).log()
    for conv in (vae.quant_conv, vae.post_quant_conv):
        _zero(conv)
        same = torch.arange(conv.in_channels)
        conv.weight[same, same, 0, 0] = 1
    return deviations


class LinearDecoder(torch.nn.Module):
    """What is left of the VAE's decoder when its blocks add nothing and its last normalization does nothing."""

    def __init__(self, latents: int, channels: tuple[int, ...] = (64, 64, 32, 8)):
        super().__init__()
        sizes = [latents, *channels, 1]
        self.layers = torch.nn.ModuleList([torch.nn.Conv2d(a, b, 3, padding=1) for a, b in zip(sizes, sizes[1:])])
        for layer in self.layers:
            torch.nn.init.orthogonal_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.layers[0](x)
        for layer in self.layers[1:-1]:
            x = layer(torch.nn.functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.layers[-1](x)


def set_linear_decoder(vae: AutoencoderKL, mels: torch.Tensor, minutes: float = 5, rate: float = 3e-3) -> float:
    """Fit a linear decoder to log-mels (n, frames, 64) for so long and set it into the class.  Returns its L1 error."""
    mean, spread = mels.mean(), mels.std()
    with torch.no_grad():
        latents = torch.cat([vae.encode(m[:, None]).latent_dist.mean for m in mels.split(8)])
    linear = LinearDecoder(vae.config.latent_channels)
    optimizer = torch.optim.Adam(linear.parameters(), lr=rate)
    started, error = time.monotonic(), torch.zeros(())
    while (progress := (time.monotonic() - started) / 60 / minutes) < 1:
        picks = torch.randint(0, len(mels), (16,))
        noisy = latents[picks] + NOISE / 2 * torch.randn_like(latents[picks])
        error = (linear(noisy) - (mels[picks, None] - mean) / spread).abs().mean()
        optimizer.param_groups[0]["lr"] = decayed(rate, progress)
        optimizer.zero_grad()
        error.backward()
        torch.nn.utils.clip_grad_norm_(linear.parameters(), 1.0)
        optimizer.step()
    _embed(linear, vae, latents[:64], float(mean), float(spread))
    return float(error) * float(spread)


@torch.no_grad()
def _embed(linear: LinearDecoder, vae: AutoencoderKL, latents: torch.Tensor, mean: float, spread: float):
    decoder = vae.decoder
    *layers, last = linear.layers
    _pass_through(decoder.up_blocks, decoder.mid_block)
    convolutions = [decoder.conv_in, *(b.upsamplers[0].conv for b in decoder.up_blocks[:-1])]
    for into, layer in zip(convolutions, layers, strict=True):
        _zero(into)
        into.weight[: layer.out_channels, : layer.in_channels] = layer.weight
        into.bias[: layer.out_channels] = layer.bias
    x = layers[0](latents)
    for layer in layers[1:]:
        x = layer(torch.nn.functional.interpolate(x, scale_factor=2.0, mode="nearest"))
    size = x.square().mean((0, 2, 3)).sqrt()
    each = decoder.conv_norm_out.num_channels // decoder.conv_norm_out.num_groups
    plus, features = each * torch.arange(len(size)), torch.arange(len(size))
    spreading = decoder.up_blocks[-1].resnets[0].conv_shortcut
    _zero(spreading)
    spreading.bias.copy_(CONSTANT * (1 - 2 * (torch.arange(spreading.out_channels) % 2)))
    norm, out = decoder.conv_norm_out, decoder.conv_out
    norm.bias.zero_()
    norm.weight.zero_()
    _zero(out)
    for channels, sign in ((plus, 1), (plus + 1, -1)):
        spreading.weight[channels, features, 0, 0] = sign / size
        spreading.bias[channels] = 0
        norm.weight[channels] = ((2 + (each - 2) * CONSTANT**2) / each) ** 0.5
        out.weight[0, channels] = sign * spread * last.weight[0] * size[:, None, None]
    out.bias[0] = spread * last.bias[0] + mean


@torch.no_grad()
def _pass_through(blocks, mid_block):
    """Let all residual blocks add nothing, and change of channels keep the first ones."""
    for resnet in [r for b in blocks for r in b.resnets] + list(mid_block.resnets):
        _zero(resnet.conv2)
        if resnet.conv_shortcut is not None:
            _zero(resnet.conv_shortcut)
            kept = torch.arange(min(resnet.conv_shortcut.in_channels, resnet.conv_shortcut.out_channels))
            resnet.conv_shortcut.weight[kept, kept, 0, 0] = 1
    for attention in mid_block.attentions:
        _zero(attention.to_out[0])


def _zero(layer):
    layer.weight.zero_()
    if layer.bias is not None:
        layer.bias.zero_()


def _pieces(encoder, mels: torch.Tensor, used: int) -> torch.Tensor:
    """(pieces, 4 x used) values as the last strided convolution sees them: (channel, row, column)."""
    found = []
    for mel in mels.split(8):
        x = encoder.conv_in(mel[:, None])
        for block in encoder.down_blocks[:-2]:
            x = block(x)
        x = encoder.down_blocks[-2].resnets[0](x, None)[:, :used]
        found.append(x.unfold(2, 2, 2).unfold(3, 2, 2).permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(0, 2))
    return torch.cat(found)


def _principal(pieces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Variances, largest first, their directions (values, components) and the mean."""
    mean = pieces.mean(0)
    centred = (pieces - mean).double()
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(centred))
    return values.flip(0).float(), vectors.flip(1).float(), mean
