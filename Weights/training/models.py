"""The parts of the model: the published classes in small sizes.  Numbers here are the only place where sizes are set.

python3 models.py prints the parameter counts
"""

import functools
import json
from pathlib import Path

import torch
from diffusers import AudioLDM2ProjectionModel, AudioLDM2UNet2DConditionModel, AutoencoderKL, DDIMScheduler
from transformers import (
    ClapConfig,
    ClapFeatureExtractor,
    ClapModel,
    GPT2Config,
    GPT2LMHeadModel,
    SpeechT5HifiGan,
    SpeechT5HifiGanConfig,
    T5Config,
    T5EncoderModel,
)

from mel import mel_filters

CLAP_DIM, T5_DIM, LOA_DIM, LOA_COUNT = 128, 160, 160, 8
CLAP_VOCABULARY, T5_VOCABULARY = 2500, 2500
LATENTS, VAE_SCALE = 16, 8  # channels of a latent; mel frames and bands that one stands for
LATENT_RATE = 100 / VAE_SCALE  # latents in a second
SHRINK = 0.5  # the scaled latents' deviation: the schedule's noise then hides in time even what is redundant in them


def vae() -> AutoencoderKL:
    """Mel (batch, 1, frames, 64) to latents (batch, 16, frames / 8, 8).  Groups of at least four channels: with one channel a
    group, normalization would take away how loud a clip is."""
    return AutoencoderKL(
        sample_size=1024,
        in_channels=1,
        out_channels=1,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(32, 64, 128, 128),
        latent_channels=LATENTS,
        layers_per_block=1,
        norm_num_groups=8,
        scaling_factor=1.0,
    )


def vocoder() -> SpeechT5HifiGan:
    """Mel (batch, frames, 64) to a waveform of 160 samples a frame.  Half the stages and kernels of the published one: so
    twice the training steps in a CPU's hour."""
    return SpeechT5HifiGan(
        SpeechT5HifiGanConfig(
            model_in_dim=64,
            sampling_rate=16000,
            upsample_initial_channel=128,
            upsample_rates=[5, 4, 4, 2],
            upsample_kernel_sizes=[15, 8, 8, 4],
            resblock_kernel_sizes=[3, 7],
            resblock_dilation_sizes=[[1, 3, 5]] * 2,
            normalize_before=False,
        )
    )


def clap() -> ClapModel:
    """The contrastive text and audio branches."""
    return ClapModel(
        ClapConfig(
            text_config=dict(
                vocab_size=CLAP_VOCABULARY,
                hidden_size=128,
                num_hidden_layers=3,
                num_attention_heads=2,
                intermediate_size=512,
                projection_dim=CLAP_DIM,
                max_position_embeddings=514,
            ),
            audio_config=dict(
                spec_size=256,
                hidden_size=256,
                patch_embeds_hidden_size=32,
                depths=[2, 2, 2, 2],
                num_attention_heads=[1, 2, 4, 8],
                window_size=8,
                num_mel_bins=64,
                projection_dim=CLAP_DIM,
                enable_fusion=False,
                hidden_act="gelu",
            ),
            projection_dim=CLAP_DIM,
        )
    )


def clap_features() -> ClapFeatureExtractor:
    return ClapFeatureExtractor(
        feature_size=64,
        sampling_rate=48000,
        hop_length=480,
        max_length_s=10,
        fft_window_size=1024,
        frequency_min=50,
        frequency_max=14000,
        truncation="rand_trunc",
        padding="repeatpad",
    )


def t5() -> T5EncoderModel:
    return T5EncoderModel(
        T5Config(
            vocab_size=T5_VOCABULARY,
            d_model=T5_DIM,
            d_kv=40,
            d_ff=448,
            num_layers=5,
            num_heads=4,
            feed_forward_proj="gated-gelu",
            tie_word_embeddings=False,
            dropout_rate=0.1,
        )
    )


def gpt2() -> GPT2LMHeadModel:
    """Used on embeddings only: the token table is a stub."""
    model = GPT2LMHeadModel(
        GPT2Config(n_embd=LOA_DIM, n_layer=4, n_head=4, n_positions=256, vocab_size=8, bos_token_id=0, eos_token_id=0)
    )
    model.config.max_new_tokens = LOA_COUNT
    return model


def projection() -> AudioLDM2ProjectionModel:
    return AudioLDM2ProjectionModel(CLAP_DIM, T5_DIM, LOA_DIM)


UNETS = {
    "full": dict(
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    ),
    # attention only where few places are left: twice the examples in a CPU's hour
    "small": dict(
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    ),
}


def unet(size: str = "full") -> AudioLDM2UNet2DConditionModel:
    """Noisy latents (batch, 16, frames / 8, 8), LOA and T5 states to their velocity; `size` is a key of UNETS."""
    return AudioLDM2UNet2DConditionModel(
        sample_size=64,  # 5.12 s
        in_channels=LATENTS,
        out_channels=LATENTS,
        block_out_channels=(64, 96, 128),
        layers_per_block=1,
        transformer_layers_per_block=1,
        cross_attention_dim=tuple([[None, LOA_DIM, T5_DIM]] * 3),
        attention_head_dim=4,
        norm_num_groups=16,
        **UNETS[size],
    )


def trained_unet(data: Path) -> AudioLDM2UNet2DConditionModel:
    """The UNet in DATA/parts, in whichever size it was trained."""
    from safetensors import safe_open

    with safe_open(data / "parts/unet.safetensors", "pt") as file:
        size = "full" if any(name.startswith("down_blocks.1.attentions") for name in file.keys()) else "small"
    return load(unet(size), data, "unet")


MAGNITUDES = dict(
    model_in_dim=64,
    input_kernel_size=5,
    hidden_channels=192,
    kernel_size=3,
    dilations=[1, 2, 4, 8],
    leaky_relu_slope=0.1,
    num_bins=513,
)


class MagnitudeNetwork(torch.nn.Module):
    """Mel spectrogram (batch, frames, 64) to corrections (batch, frames, 513) of the logarithms of `inverted`: HiFi-GAN's
    layers, by its names, at the frames' own rate."""

    def __init__(self):
        super().__init__()
        self.config = MAGNITUDES
        width, kernel = MAGNITUDES["hidden_channels"], MAGNITUDES["kernel_size"]

        def convolution(dilation: int) -> torch.nn.Conv1d:
            return torch.nn.Conv1d(width, width, kernel, padding=dilation * (kernel // 2), dilation=dilation)

        first = MAGNITUDES["input_kernel_size"]
        self.conv_pre = torch.nn.Conv1d(MAGNITUDES["model_in_dim"], width, first, padding=first // 2)
        self.resblock = torch.nn.ModuleDict(
            {
                "convs1": torch.nn.ModuleList(convolution(d) for d in MAGNITUDES["dilations"]),
                "convs2": torch.nn.ModuleList(convolution(1) for _ in MAGNITUDES["dilations"]),
            }
        )
        self.conv_post = torch.nn.Conv1d(width, MAGNITUDES["num_bins"], 1)
        torch.nn.init.zeros_(self.conv_post.weight)
        torch.nn.init.zeros_(self.conv_post.bias)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        leaky = functools.partial(torch.nn.functional.leaky_relu, negative_slope=MAGNITUDES["leaky_relu_slope"])
        x = self.conv_pre((mel / 4 + 1).transpose(1, 2))  # within about -2…1.5
        for dilated, plain in zip(self.resblock["convs1"], self.resblock["convs2"]):
            x = x + plain(leaky(dilated(leaky(x))))
        return self.conv_post(leaky(x)).transpose(1, 2).clamp(-8, 8)


@torch.no_grad()
def inverted(mel: torch.Tensor, updates: int = 13) -> torch.Tensor:
    """Mel spectrogram (batch, frames, 64) to smooth magnitudes (batch, frames, 513) whose bands are these: Lee & Seung's
    updates for the Kullback-Leibler divergence, as the runtime's MelInversion makes them."""
    filters = mel_filters(mel.device)
    total = filters.sum(0)
    gains = torch.where(total > 0, 1 / total.clamp(min=1e-12), torch.zeros_like(total))
    wanted = mel.float().exp()
    found = torch.ones(*mel.shape[:2], len(gains), device=mel.device)
    for _ in range(updates):
        found = found * gains * ((wanted / (found @ filters.T).clamp(min=1e-12)) @ filters)
    return found


def scheduler() -> DDIMScheduler:
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.0015,
        beta_end=0.0195,
        beta_schedule="scaled_linear",
        steps_offset=1,
        set_alpha_to_one=False,
        clip_sample=False,
        prediction_type="v_prediction",
    )


class LOAEncoder(torch.nn.Module):
    """AudioMAE in small: a transformer over 16 x 16 patches of a (1024 frames, 128 mels) picture.

    The names are AudioMAE's (patch_embed, cls_token, pos_embed, blocks, norm), so that a converter finds what it knows.
    """

    def __init__(
        self, width: int = LOA_DIM, depth: int = 4, heads: int = 4, frames: int = 1024, mels: int = 128, patch: int = 16
    ):
        super().__init__()
        self.config = dict(width=width, depth=depth, heads=heads, frames=frames, mels=mels, patch=patch)
        self.grid = (frames // patch, mels // patch)
        self.patch_embed = torch.nn.ModuleDict({"proj": torch.nn.Conv2d(1, width, patch, stride=patch)})
        self.cls_token = torch.nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.pos_embed = torch.nn.Parameter(0.02 * torch.randn(1, 1 + self.grid[0] * self.grid[1], width))
        self.blocks = torch.nn.ModuleList([Block(width, heads) for _ in range(depth)])
        self.norm = torch.nn.LayerNorm(width, eps=1e-6)

    def tokens(self, pictures: torch.Tensor) -> torch.Tensor:
        """(batch, 1, frames, mels) to patch tokens (batch, n, width), time-major, with positions, without CLS."""
        x = self.patch_embed["proj"](pictures).flatten(2).transpose(1, 2)
        return x + self.pos_embed[:, 1:]

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Patch tokens (any subset) to (batch, 1 + n, width): the mean of the final norm of the last three blocks."""
        cls = (self.cls_token + self.pos_embed[:, :1]).expand(len(tokens), -1, -1)
        x, kept = torch.cat([cls, tokens], 1), []
        for block in self.blocks:
            x = block(x)
            kept.append(self.norm(x))
        return torch.stack(kept[-3:]).mean(0)

    def loa(self, pictures: torch.Tensor) -> torch.Tensor:
        """(batch, 1, 1024, 128) to LOA (batch, 8, width): (average + max) / 2 over 8 x 8 patches."""
        x = self(self.tokens(pictures))[:, 1:]
        x = x.transpose(1, 2).unflatten(2, self.grid)
        pool = (torch.nn.functional.avg_pool2d(x, 8) + torch.nn.functional.max_pool2d(x, 8)) / 2
        return pool.flatten(2).transpose(1, 2)


class Block(torch.nn.Module):
    """A pre-norm transformer block with timm's names (norm1, attn.qkv, attn.proj, norm2, mlp.fc1, mlp.fc2)."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = torch.nn.LayerNorm(width, eps=1e-6), torch.nn.LayerNorm(width, eps=1e-6)
        self.attn = torch.nn.ModuleDict(
            {"qkv": torch.nn.Linear(width, 3 * width), "proj": torch.nn.Linear(width, width)}
        )
        self.mlp = torch.nn.ModuleDict(
            {"fc1": torch.nn.Linear(width, 4 * width), "fc2": torch.nn.Linear(4 * width, width)}
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, count, width = x.shape
        q, k, v = self.attn["qkv"](self.norm1(x)).view(batch, count, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = torch.nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch, count, width)
        x = x + self.attn["proj"](y)
        return x + self.mlp["fc2"](torch.nn.functional.gelu(self.mlp["fc1"](self.norm2(x))))


def load(model: torch.nn.Module, data: Path, name: str) -> torch.nn.Module:
    """The weights that a finished stage left in DATA/parts/NAME.safetensors (and its config changes), for inference."""
    from safetensors.torch import load_file

    model.load_state_dict(load_file(data / f"parts/{name}.safetensors"))
    changes = data / f"parts/{name}.json"
    if changes.exists() and hasattr(model, "register_to_config"):
        model.register_to_config(**json.loads(changes.read_text()))
    return model.eval().requires_grad_(False)


def start(model: torch.nn.Module, data: Path, name: str) -> torch.nn.Module:
    """The model to train: from the part that an earlier, shorter training left in DATA/parts, if there is one."""
    from safetensors.torch import load_file

    path = data / f"parts/{name}.safetensors"
    if path.exists():
        kept, own = load_file(path), model.state_dict()
        if {k: v.shape for k, v in kept.items()} != {k: v.shape for k, v in own.items()}:
            print(f"{name}: {path} is of another size: starting anew", flush=True)
            return model
        model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in kept.items()})
        print(f"{name}: starting from {path}", flush=True)
    return model


def save(model: torch.nn.Module, data: Path, name: str, **changes):
    """Leave a stage's weights, float32, for later stages and export; `changes` are config values found by training."""
    from safetensors.torch import save_file

    folder = data / "parts"
    folder.mkdir(exist_ok=True)
    save_file(
        {
            k: v.detach().float().contiguous().cpu().clone() if v.is_floating_point() else v.cpu().clone()
            for k, v in model.state_dict().items()
        },
        folder / f"{name}.safetensors",
    )
    if changes:
        (folder / f"{name}.json").write_text(json.dumps(changes))


def main():
    total = 0
    for make in (vae, vocoder, MagnitudeNetwork, clap, t5, gpt2, projection, unet, LOAEncoder):
        model = make()
        count = sum(p.numel() for p in model.parameters())
        total += count
        extra = ""
        if make is clap:
            text = sum(p.numel() for n, p in model.named_parameters() if n.startswith("text"))
            extra = f"(text {text / 1e6:.2f}, audio {(count - text) / 1e6:.2f})"
        print(f"{make.__name__:12s} {count / 1e6:6.2f} M {extra}")
    print(f"total        {total / 1e6:6.2f} M")


if __name__ == "__main__":
    main()
