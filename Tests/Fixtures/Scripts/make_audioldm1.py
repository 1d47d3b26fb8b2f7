#!/usr/bin/env python3
"""A checkpoint folder of AudioLDM 1 with random weights, and golden tensors that diffusers' `AudioLDMPipeline` computes
from it (float32, CPU, evaluation mode), under the names that `make_checkpoint.py` has for AudioLDM 2.

    make_audioldm1.py MAKE_CHECKPOINT.py --size tiny --out audioldm1-tiny --golden audioldm1-tiny-2.56s.safetensors

Sizes
    tiny      the structure of cvssp/audioldm-*, small: ../Checkpoints/audioldm1-tiny, ../Goldens/audioldm1-tiny-2.56s
    tiny-48k  that of the authors' audioldm_48k, small: two self-attention transformers at every place (diffusers has
              them in the UNet of AudioLDM 2), 256 mels, VAE by 8, 48 kHz, four residual blocks in the vocoder:
              ../Checkpoints/audioldm1-tiny-48k, ../Goldens/audioldm1-tiny-48k-0.64s (--seconds 0.64 --steps 4)
    small     cvssp/audioldm-s-full at full size

MAKE_CHECKPOINT.py is the script that makes AudioLDM 2 checkpoints, for its tokenizer.
"""
import argparse
import importlib.util
import json
from pathlib import Path

import numpy as np
import torch
from diffusers import (AudioLDM2UNet2DConditionModel, AudioLDMPipeline, AutoencoderKL, DDIMScheduler,
                       DPMSolverMultistepScheduler, EulerDiscreteScheduler, PNDMScheduler, UNet2DConditionModel,
                       UniPCMultistepScheduler)
from safetensors.torch import save_file
from transformers import ClapTextConfig, ClapTextModelWithProjection, SpeechT5HifiGan, SpeechT5HifiGanConfig


def build(size, seed, folder, make_checkpoint):
    torch.manual_seed(seed)
    tiny, wide = size.startswith("tiny"), size.endswith("48k")
    text_encoder = ClapTextModelWithProjection(ClapTextConfig(
        vocab_size=1000, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        projection_dim=24, max_position_embeddings=514) if tiny else ClapTextConfig(projection_dim=512))
    channels = (16, 32, 48) if tiny else (128, 256, 384, 640)
    latents = 16 if wide else 8
    common = dict(
        sample_size=128, in_channels=latents, out_channels=latents, block_out_channels=channels,
        down_block_types=("DownBlock2D",) + ("CrossAttnDownBlock2D",) * (len(channels) - 1),
        up_block_types=("CrossAttnUpBlock2D",) * (len(channels) - 1) + ("UpBlock2D",),
        layers_per_block=1 if tiny else 2, attention_head_dim=4 if tiny else 8, norm_num_groups=8 if tiny else 32,
        class_embed_type="simple_projection", class_embeddings_concat=True,
        projection_class_embeddings_input_dim=24 if tiny else 512)
    if wide:
        unet = AudioLDM2UNet2DConditionModel(cross_attention_dim=tuple([[None, None]] * len(channels)), **common)
    else:
        unet = UNet2DConditionModel(cross_attention_dim=channels, **common)
    blocks = ((16, 24, 32, 48) if wide else (16, 24, 32)) if tiny else (128, 256, 512)
    vae = AutoencoderKL(
        in_channels=1, out_channels=1, down_block_types=("DownEncoderBlock2D",) * len(blocks),
        up_block_types=("UpDecoderBlock2D",) * len(blocks), block_out_channels=blocks, latent_channels=latents,
        layers_per_block=1 if tiny else 2, norm_num_groups=8 if tiny else 32, scaling_factor=0.9227914214134216)
    rates, kernels = ([6, 5, 4, 2, 2], [12, 10, 8, 4, 4]) if wide else ([5, 4, 2, 2, 2], [16, 16, 8, 4, 4])
    resblocks = [3, 7, 11, 15] if wide else [3, 7, 11]
    vocoder = SpeechT5HifiGan(SpeechT5HifiGanConfig(
        model_in_dim=256 if wide else 64, sampling_rate=48000 if wide else 16000,
        upsample_initial_channel=64 if tiny else 1024, upsample_rates=rates, upsample_kernel_sizes=kernels,
        resblock_kernel_sizes=resblocks, resblock_dilation_sizes=[[1, 3, 5]] * len(resblocks),
        normalize_before=False))
    for module in vocoder.modules():  # the default of std 0.01 fades to silence
        if isinstance(module, (torch.nn.Conv1d, torch.nn.ConvTranspose1d)):
            is_plain = isinstance(module, torch.nn.Conv1d)
            fan = module.weight[0].numel() if is_plain else module.weight[:, 0].numel() / module.stride[0]
            torch.nn.init.normal_(module.weight, std=fan ** -0.5)
            torch.nn.init.normal_(module.bias, std=0.01)
    scheduler = DDIMScheduler(
        num_train_timesteps=1000, beta_start=0.0015, beta_end=0.0195, beta_schedule="scaled_linear", steps_offset=1,
        set_alpha_to_one=False, clip_sample=False)
    tokenizer, _ = make_checkpoint.train_tokenizers(folder, 1000 if tiny else 50265, 500)
    for file in sorted((folder / "tokenizer_2").iterdir()):
        file.unlink()
    (folder / "tokenizer_2").rmdir()
    for module in (text_encoder, unet, vae):  # so that no parameter is a silent 0 or 1
        for parameter in module.parameters():
            if parameter.ndim == 1:
                parameter.data.add_(0.05 * torch.randn_like(parameter))
    parts = dict(
        vae=vae, text_encoder=text_encoder, tokenizer=tokenizer, unet=unet, scheduler=scheduler, vocoder=vocoder)
    for part in parts.values():
        if hasattr(part, "eval"):
            part.eval()
    return AudioLDMPipeline(**parts)


@torch.no_grad()
def golden(pipe, path, prompt, negative, seconds, steps, guidance, seed):
    pipe.set_progress_bar_config(disable=True)
    out = {}
    film = pipe._encode_prompt(prompt, "cpu", 1, True, negative_prompt=negative)
    out["negative.clap.text"], out["clap.text"] = film[:1], film[1:]
    out["prompt.ids.clap"] = pipe.tokenizer(
        prompt, padding="max_length", max_length=512, truncation=True, return_tensors="pt").input_ids
    rate = pipe.vocoder.config.sampling_rate
    frames = int(seconds / (np.prod(pipe.vocoder.config.upsample_rates) / rate))
    scale = pipe.vae_scale_factor
    noise = torch.from_numpy(np.random.RandomState(seed).standard_normal((
        1, pipe.unet.config.in_channels, -(-frames // scale), pipe.vocoder.config.model_in_dim // scale)).astype("f4"))
    out["latents.initial"] = noise
    pipe.scheduler.set_timesteps(steps)
    out["timesteps"] = pipe.scheduler.timesteps
    out["unet.eps.0"] = pipe.unet(
        torch.cat([noise] * 2), pipe.scheduler.timesteps[0], encoder_hidden_states=None, class_labels=film).sample
    call = dict(
        prompt=prompt, negative_prompt=negative, audio_length_in_s=seconds, num_inference_steps=steps,
        guidance_scale=guidance)

    def denoised(scheduler):
        """The pipeline decodes what it makes, so its last latents are taken from its callback."""
        pipe.scheduler, last = scheduler, {}
        waveform = pipe(**call, latents=noise.clone(), callback=lambda i, t, x: last.update(x=x.clone())).audios
        return last["x"], torch.from_numpy(waveform)

    ddim = pipe.scheduler
    for name, kind in dict(dpmpp=DPMSolverMultistepScheduler, unipc=UniPCMultistepScheduler,
                           euler=EulerDiscreteScheduler, pndm=PNDMScheduler).items():
        extra = {"skip_prk_steps": True} if name == "pndm" else {}
        out[f"latents.{name}"], _ = denoised(kind.from_config(ddim.config, **extra))
    out["latents.final"], out["waveform"] = denoised(ddim)
    out["mel"] = pipe.decode_latents(out["latents.final"])
    meta = dict(prompt=prompt, negative=negative, seconds=str(seconds), steps=str(steps), guidance=str(guidance),
                seed=str(seed))
    save_file({name: tensor.detach().contiguous().clone() for name, tensor in out.items()}, path, metadata=meta)
    for name, tensor in out.items():
        print(f"{name:20} {tuple(tensor.shape)!s:20} std {tensor.float().std():.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("make_checkpoint")
    parser.add_argument("--size", choices=["tiny", "tiny-48k", "small"], default="tiny")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--golden", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=2.56)
    parser.add_argument("--steps", type=int, default=6)
    arguments = parser.parse_args()
    spec = importlib.util.spec_from_file_location("make_checkpoint", arguments.make_checkpoint)
    make_checkpoint = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_checkpoint)
    arguments.out.mkdir(parents=True, exist_ok=True)
    pipe = build(arguments.size, 1, arguments.out, make_checkpoint).to(torch.float16)
    pipe.save_pretrained(arguments.out, safe_serialization=True)
    index = arguments.out / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()), indent=2) + "\n")
    golden(pipe.to(torch.float32), arguments.golden, "a dog barking in the distance while rain falls on a tin roof",
           "low quality", arguments.seconds, arguments.steps, 2.5, 0)


if __name__ == "__main__":
    main()
