#!/usr/bin/env python3
"""Each kind of block of the models, with small random weights: what goes in and what comes out of the reference's own.

    python make_layer_fixtures.py ../Layers/blocks.safetensors     (torch 2.15, diffusers 0.42.1, transformers 5.23.0)

A block's tensors are `NAME/weights/KEY` (float16, which the numbers are rounded to before anything is computed in float32) and
`NAME/input`, `NAME/output` and whatever else it reads, in the order that we keep them in: channels last.
"""
import sys

import torch
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from diffusers.models.unets.unet_2d_blocks import (
    DownBlock2D, DownEncoderBlock2D, UNetMidBlock2D, UpBlock2D, UpDecoderBlock2D)
from diffusers.pipelines.audioldm2.modeling_audioldm2 import CrossAttnDownBlock2D
from safetensors.torch import save_file
from torch import nn
from torch.nn.functional import leaky_relu, silu
from transformers import ClapAudioConfig, ClapTextConfig, GPT2Config, T5Config, VitsConfig
from transformers.models.clap.modeling_clap import ClapAudioModel, ClapTextModel
from transformers.models.gpt2.modeling_gpt2 import GPT2Model
from transformers.models.speecht5.modeling_speecht5 import HifiGanResidualBlock
from transformers.models.t5.modeling_t5 import T5EncoderModel
from transformers.models.vits.modeling_vits import VitsTextEncoder

GROUPS, TIME, EPSILON = 4, 20, dict(unet=1e-5, vae=1e-6)
recorded = {}


def prepared(module):
    """Numbers that float16 holds, products that change what they read, and norms that do something."""
    for name, value in list(module.named_parameters()) + list(module.named_buffers()):
        if not value.is_floating_point():
            continue
        if value.ndim > 1:
            # Some begin as zeros.
            value.data.copy_(value if value.any() else torch.randn_like(value))
            value.data.mul_(1.2 / (value.std() * value[0].numel() ** 0.5))
        elif value.ndim == 1:
            value.data.add_(0.2 * torch.randn_like(value))
        if name.endswith("running_var"):
            value.data.abs_().add_(0.5)
        value.data.copy_(value.half().float())
    return module.eval()


def last(x):
    """Channels last."""
    return x.movedim(1, -1)


def record(name, state, **tensors):
    state = {key: value.half() for key, value in state.items() if value.is_floating_point()}
    recorded.update({f"{name}/weights/{key}": value for key, value in state.items()})
    recorded.update({f"{name}/{key}": value.float() for key, value in tensors.items()})


def heard(model, block, call):
    """What a block of a whole model is given at first, and what it makes of it."""
    seen = []

    def hook(module, arguments, named, output):
        x = arguments[0] if arguments else named["hidden_states"]
        seen.append((x.clone(), (output[0] if isinstance(output, tuple) else output).clone()))

    handle = block.register_forward_hook(hook, with_kwargs=True)
    call(model)
    handle.remove()
    return dict(zip(["input", "output"], seen[0]))


def under(prefix, module):
    return {f"{prefix}{key}": value for key, value in module.state_dict().items()}


def unet():
    resnet = dict(temb_channels=TIME, resnet_groups=GROUPS, resnet_eps=EPSILON["unet"])
    time = torch.randn(2, TIME)

    timesteps = torch.tensor([1.0, 250.0, 981.0])
    embedding = prepared(TimestepEmbedding(12, 48))
    output = silu(embedding(Timesteps(12, flip_sin_to_cos=True, downscale_freq_shift=0)(timesteps)))
    record("unet.time embedding", embedding.state_dict(), input=timesteps, output=output)

    block = prepared(ResnetBlock2D(in_channels=12, out_channels=20, temb_channels=TIME, groups=GROUPS,
                                   eps=EPSILON["unet"]))
    x = torch.randn(2, 12, 6, 4)
    record("unet.resnet", block.state_dict(), input=last(x), time=time, output=last(block(x, time)))

    states, mask = torch.randn(2, 7, 14), torch.tensor([[1.0] * 7, [1, 1, 1, 0, 0, 0, 1]])
    for name, width in [("cross", 14), ("self", None)]:
        block = prepared(Transformer2DModel(2, 6, 12, num_layers=1, norm_num_groups=GROUPS, cross_attention_dim=width,
                                            double_self_attention=width is None))
        read = dict(encoder_hidden_states=states, encoder_attention_mask=mask) if width else {}
        tensors = dict(states=states, mask=mask) if width else {}
        record(f"unet.{name}-attention", block.state_dict(), input=last(x),
               output=last(block(x, **read).sample), **tensors)

    block = prepared(CrossAttnDownBlock2D(
        in_channels=12, out_channels=12, num_layers=1, num_attention_heads=2, cross_attention_dim=[None, 10, 14],
        add_downsample=False, **resnet))
    language = torch.randn(2, 3, 10)
    output, _ = block(x, time, encoder_hidden_states=language, encoder_hidden_states_1=states,
                      encoder_attention_mask_1=mask)
    record("unet.layer", block.state_dict(), input=last(x), time=time, language=language, states=states, mask=mask,
           output=last(output))

    x = torch.randn(2, 12, 5, 4)
    block = prepared(DownBlock2D(in_channels=12, out_channels=20, num_layers=1, downsample_padding=1, **resnet))
    output, skips = block(x, time)
    record("unet.down level", block.state_dict(), input=last(x), time=time, skip=last(skips[0]), output=last(output))

    block = prepared(UpBlock2D(in_channels=12, prev_output_channel=20, out_channels=12, num_layers=2, **resnet))
    x, skips = torch.randn(2, 20, 3, 2), (torch.randn(2, 12, 3, 2), torch.randn(2, 12, 3, 2))
    output = block(x, skips, time, upsample_size=(5, 4))
    record("unet.up level", block.state_dict(), input=last(x), time=time, first=last(skips[0]), second=last(skips[1]),
           output=last(output))


def vae():
    rest = dict(resnet_eps=EPSILON["vae"], resnet_groups=GROUPS)
    x = torch.randn(1, 12, 7, 4)
    for name, block in [
        ("resnet", ResnetBlock2D(in_channels=12, out_channels=20, temb_channels=None, groups=GROUPS,
                                 eps=EPSILON["vae"])),
        ("middle", UNetMidBlock2D(in_channels=12, temb_channels=None, attention_head_dim=12, **rest)),
        ("down level", DownEncoderBlock2D(in_channels=12, out_channels=20, downsample_padding=0, **rest)),
        ("up level", UpDecoderBlock2D(in_channels=12, out_channels=12, **rest)),
    ]:
        record(f"vae.{name}", prepared(block).state_dict(), input=last(x), output=last(block(x, None)))


def vocoder():
    x = torch.randn(1, 8, 40)
    block = prepared(HifiGanResidualBlock(8, kernel_size=3, dilation=(1, 3, 5), leaky_relu_slope=0.1))
    record("hifigan.residual", block.state_dict(), input=last(x), output=last(block(x)))
    block = prepared(nn.ConvTranspose1d(8, 4, 7, stride=3, padding=2))
    record("hifigan.upsampler", under("upsampler.0.", block), input=last(x), output=last(block(leaky_relu(x, 0.1))))


def text():
    ids = torch.tensor([[5, 3, 9, 2, 7, 1, 8, 4, 6]])

    model = prepared(T5EncoderModel(T5Config(
        vocab_size=16, d_model=24, d_kv=6, d_ff=40, num_layers=1, num_heads=4, relative_attention_num_buckets=8,
        relative_attention_max_distance=10, feed_forward_proj="gated-gelu")))
    mask = torch.tensor([[1] * 7 + [0] * 2])
    block = model.encoder.block[0]
    tensors = heard(model, block, lambda model: model(ids, attention_mask=mask))
    record("t5.block", under("encoder.block.0.", block), mask=mask, **tensors)

    model = prepared(GPT2Model(GPT2Config(vocab_size=16, n_embd=24, n_layer=1, n_head=3, n_positions=16)))
    mask = torch.tensor([[1, 1, 1, 0, 0, 1, 1, 0, 1]])
    block = model.h[0]
    tensors = heard(model, block, lambda model: model(ids, attention_mask=mask, use_cache=False))
    record("gpt2.block", under("transformer.h.0.", block), mask=mask, **tensors)

    model = prepared(ClapTextModel(ClapTextConfig(
        vocab_size=16, hidden_size=24, num_hidden_layers=1, num_attention_heads=3, intermediate_size=40,
        max_position_embeddings=16)))
    block = model.encoder.layer[0]
    tensors = heard(model, block, lambda model: model(ids, attention_mask=torch.ones_like(ids)))
    record("clap.text layer", block.state_dict(), **tensors)

    model = prepared(VitsTextEncoder(VitsConfig(
        vocab_size=16, hidden_size=24, num_hidden_layers=1, num_attention_heads=2, window_size=2, ffn_dim=40,
        ffn_kernel_size=3, flow_size=24, spectrogram_bins=24)))
    block = model.encoder.layers[0]
    ones = torch.ones_like(ids)
    tensors = heard(model, block, lambda model: model(ids, padding_mask=ones[..., None], attention_mask=ones))
    record("vits.layer", block.state_dict(), **tensors)


def sound():
    model = prepared(ClapAudioModel(ClapAudioConfig(
        spec_size=32, num_mel_bins=8, patch_size=4, patch_stride=[4, 4], window_size=2, patch_embeds_hidden_size=16,
        hidden_size=32, depths=[2, 1], num_attention_heads=[2, 4], num_hidden_layers=2, mlp_ratio=2.0)))
    features = 10 * torch.randn(1, 1, 100, 8)
    encoder = model.audio_encoder

    def call(model):
        model(features, is_longer=torch.zeros(1, 1, dtype=torch.bool))

    picture = heard(model, encoder.patch_embed, call)["input"]
    record("clap.picture", under("batch_norm.", encoder.batch_norm), input=features[0, 0], output=last(picture))
    stage = encoder.layers[0]
    for name, block in [("audio layer", stage.blocks[0]), ("shifted audio layer", stage.blocks[1]),
                        ("merging", stage.downsample)]:
        record(f"clap.{name}", block.state_dict(), **heard(model, block, call))

    # timm's block, of which the encoder's is made, under PyTorch's own names.
    block = prepared(nn.TransformerEncoderLayer(24, 3, 48, activation="gelu", layer_norm_eps=1e-6, batch_first=True,
                                                norm_first=True))
    names = {"self_attn.in_proj_": "attn.qkv.", "self_attn.out_proj.": "attn.proj.", "linear1.": "mlp.fc1.",
             "linear2.": "mlp.fc2."}
    state = {}
    for key, value in block.state_dict().items():
        for theirs, ours in names.items():
            key = key.replace(theirs, ours)
        state[key] = value
    x = torch.randn(1, 9, 24)
    record("audiomae.block", state, input=x, output=block(x))


@torch.no_grad()
def main():
    torch.manual_seed(0)
    for family in [unet, vae, vocoder, text, sound]:
        family()
    save_file({key: value.clone().contiguous() for key, value in sorted(recorded.items())}, sys.argv[1])


if __name__ == "__main__":
    main()
