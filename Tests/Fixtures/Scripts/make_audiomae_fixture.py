#!/usr/bin/env python3
"""An AudioMAE encoder with random weights as a checkpoint folder, and what PyTorch's own transformer layers and
torchaudio's Kaldi features, in float64, make of five sounds.

    make_audiomae_fixture.py OUT [--size tiny|full] SOUND.wav …     (torch, torchaudio, soundfile, soxr, safetensors)

OUT/audiomae/{config.json,model.safetensors} hold the encoder under the names of the authors' files;
OUT/golden.safetensors holds, for the i-th sound, `wave.i` [n] at 16 kHz, the beginning of `fbank.i` [1024, 128], and `loa.i` [8, width].

The fixture ../AudioMAE is `--size tiny` on five sounds of Debian's sonic-pi-samples (CC0), cut to 1.2 s:
tabla_tun2, drum_cymbal_open, elec_snare, loop_amen, ambi_haunted_hum.
"""
import argparse
import json
from pathlib import Path

import soundfile
import soxr
import torch
import torchaudio.compliance.kaldi as kaldi
from safetensors.torch import save_file
from torch import nn

# PyTorch's names of a layer's parts, and timm's, which the authors' files have.
NAMES = {"self_attn.in_proj_": "attn.qkv.", "self_attn.out_proj.": "attn.proj.", "linear1.": "mlp.fc1.",
         "linear2.": "mlp.fc2."}
MEAN, DEVIATION, FRAMES, BANDS, PATCH = -4.2677393, 4.5689974, 1024, 128, 16


class Encoder(nn.Module):
    """The encoder's half of the authors' MaskedAutoencoderViT, without masking."""

    def __init__(self, width, layers, heads, first):
        super().__init__()
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv2d(1, width, PATCH, PATCH)
        self.cls_token = nn.Parameter(torch.randn(1, 1, width) * 0.2)
        self.pos_embed = nn.Parameter(torch.randn(1, FRAMES // PATCH * BANDS // PATCH + 1, width) * 0.2)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(width, heads, 4 * width, activation="gelu", layer_norm_eps=1e-6, batch_first=True,
                                       norm_first=True) for _ in range(layers))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.first = first
        for parameter in self.parameters():
            if parameter.ndim == 1:
                parameter.data.add_(0.05 * torch.randn_like(parameter))

    def forward(self, fbank):
        x = self.patch_embed.proj(fbank[:, None]).flatten(2).transpose(1, 2) + self.pos_embed[:, 1:]
        x = torch.cat([self.cls_token + self.pos_embed[:, :1], x], dim=1)
        kept = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index >= self.first:
                kept.append(self.norm(x))
        x = torch.stack(kept).mean(dim=0)[:, 1:]
        grid = x.transpose(1, 2).reshape(x.shape[0], -1, FRAMES // PATCH, BANDS // PATCH)
        pooled = (nn.functional.avg_pool2d(grid, 8) + nn.functional.max_pool2d(grid, 8)) / 2
        return pooled.flatten(2).transpose(1, 2)


def features(wave):
    """In float64: torchaudio's float32 is off by up to 1e-3 where a band is quiet beside a loud one."""
    torch.set_default_dtype(torch.float64)
    wave = wave[None].double() - wave.double().mean()
    fbank = kaldi.fbank(wave, htk_compat=True, sample_frequency=16000, use_energy=False, window_type="hanning",
                        num_mel_bins=BANDS, dither=0.0, frame_shift=10)[:FRAMES]
    torch.set_default_dtype(torch.float32)
    fbank = nn.functional.pad(fbank, (0, 0, 0, FRAMES - fbank.shape[0]))
    return ((fbank - MEAN) / (2 * DEVIATION)).float()


def load(path, seconds):
    wave, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return torch.from_numpy(soxr.resample(wave.mean(axis=1), rate, 16000))[: int(seconds * 16000)]


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("sounds", nargs="+")
    parser.add_argument("--size", choices=["tiny", "full"], default="tiny")
    parser.add_argument("--seconds", type=float, default=1.2)
    arguments = parser.parse_args()
    width, layers, heads, first = (32, 4, 4, 2) if arguments.size == "tiny" else (768, 12, 12, 9)
    torch.manual_seed(0)
    encoder = Encoder(width, layers, heads, first).half().float().eval()
    folder = arguments.out / "audiomae"
    folder.mkdir(parents=True, exist_ok=True)
    config = dict(
        sampling_rate=16000, num_mel_bins=BANDS, target_length=FRAMES, feature_mean=MEAN, feature_std=DEVIATION,
        patch_size=PATCH, hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
        intermediate_size=4 * width, layer_norm_eps=1e-6, first_averaged_layer=first, pool_time=8, pool_frequency=8)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    weights = {}
    for name, value in encoder.state_dict().items():
        for ours, theirs in NAMES.items():
            name = name.replace(ours, theirs)
        weights[f"audiomae.model.{name}"] = value.half().contiguous()
    weights["audiomae.model.mask_token"] = torch.zeros(1, 1, 8, dtype=torch.float16)
    save_file(weights, folder / "model.safetensors")
    golden = {}
    for index, path in enumerate(arguments.sounds):
        wave = load(path, arguments.seconds)
        fbank = features(wave)
        golden |= {f"wave.{index}": wave, f"fbank.{index}": fbank, f"loa.{index}": encoder(fbank[None])[0]}
        # Frames of silence are all alike.
        golden[f"fbank.{index}"] = fbank[: int(arguments.seconds * 100) + 2].contiguous()
    save_file({name: value.contiguous() for name, value in golden.items()}, arguments.out / "golden.safetensors")


if __name__ == "__main__":
    main()
