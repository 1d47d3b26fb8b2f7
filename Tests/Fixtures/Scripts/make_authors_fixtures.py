#!/usr/bin/env python3
"""Small models out of the authors' own modules: their keys and shapes, and what they compute.

    python make_authors_fixtures.py AUDIOLDM2 AUDIOLDM ../Authors

AUDIOLDM2 and AUDIOLDM are checkouts of github.com/haoheliu/AudioLDM2 and /AudioLDM.  Needs torch, transformers, einops.

Weights are not stored: every number follows from its tensor's key and place (`numbers`), so that the tests can write the
same file.  `keys.json.zst` has key -> [type, shape] of each model's file; `golden.safetensors` inputs and outputs, named as
`audioldm2 trace` names them, below the model's name.
"""
import contextlib
import importlib
import io
import json
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

WIDTH, T5_WIDTH, CLAP_WIDTH, PHONEME_WIDTH = 128, 40, 16, 24


def numbers(key, shape):
    """The weights of a tensor: SplitMix64 from the FNV-1a hash of its key, scaled to keep activations in range."""
    seed = np.uint64(0xCBF29CE484222325)
    with np.errstate(over="ignore"):
        for byte in key.encode():
            seed = (seed ^ np.uint64(byte)) * np.uint64(0x100000001B3)
        count = int(np.prod(shape, dtype=np.int64))
        z = seed + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    u = (z >> np.uint64(40)).astype(np.float64) / 2.0 ** 23 - 1
    if len(shape) >= 2:
        u *= np.sqrt(3.0 / np.prod(shape[1:], dtype=np.int64))
    elif key.endswith(("weight", "gamma")):
        u = 1 + 0.1 * u
    elif len(shape) == 1:
        u *= 0.1
    else:
        u = np.full(1, 0.41)
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


def package(name, folder):
    """A package without its __init__, which would import all that training needs."""
    module = types.ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module


def load(module, prefix):
    """Fills a module; returns its keys in the file."""
    state = {key: tensor for key, tensor in module.state_dict().items()}
    filled = {key: numbers(prefix + key, list(tensor.shape)) if tensor.is_floating_point() else tensor
              for key, tensor in state.items()}
    module.load_state_dict(filled)
    module.eval()
    return {prefix + key: [str(tensor.dtype).removeprefix("torch."), list(tensor.shape)]
            for key, tensor in state.items()}


class Model:
    def __init__(self, name, repository):
        self.name, self.repository, self.keys, self.golden = name, repository, {}, {}
        torch.manual_seed(sum(name.encode()))

    def module(self, path):
        return importlib.import_module(f"{self.repository}.{path}")

    def add(self, module, prefix):
        self.keys.update(load(module, prefix))
        return module

    def copy(self, source, target):
        self.keys.update({target + key[len(source):]: entry for key, entry in list(self.keys.items())
                          if key.startswith(source)})

    def record(self, **tensors):
        self.golden.update({key.replace("__", "."): tensor.detach().float().contiguous().clone()
                            for key, tensor in tensors.items()})

    def unet(self, contexts, depth=1, film=False, latents=8, channels=32, head=32):
        first = self.repository == "audioldm"
        path = "latent_diffusion.openaimodel" if first else "latent_diffusion.modules.diffusionmodules.openaimodel"
        options = dict(image_size=64, in_channels=latents, out_channels=latents, model_channels=channels,
                       attention_resolutions=[2], num_res_blocks=1, channel_mult=(1, 2), num_head_channels=head,
                       use_spatial_transformer=True, transformer_depth=depth)
        if film:
            options["extra_film_condition_dim"] = CLAP_WIDTH
        if first:
            options["extra_film_use_concat"] = True
        else:
            options["context_dim"] = contexts
        unet = self.add(self.module(path).UNetModel(**options), "model.diffusion_model.")
        sample, t = torch.randn(2, latents, 8, 4), torch.tensor([11, 700])
        states = [torch.randn(2, 5 + 2 * i, width) for i, width in enumerate(contexts) if width]
        masks = [torch.ones(s.shape[:2]) for s in states]
        if masks:
            masks[-1][1, 3:] = 0
        y = torch.nn.functional.normalize(torch.randn(2, CLAP_WIDTH), dim=-1) if film else None

        def run():
            if first:
                return unet(sample, t, y=y)
            filled, all_masks, rest = [], [], list(zip(states, masks))
            for width in contexts:
                state, mask = rest.pop(0) if width else (None, None)
                filled.append(state)
                all_masks.append(mask)
            # The modules take contexts in turn, the transformer that reads nothing among them.
            return unet(sample, t, y=y, context_list=filled, context_attn_mask_list=all_masks)

        self.record(unet__input=sample, unet__t=t, unet__eps=run())
        for i, (state, mask) in enumerate(zip(states, masks)):
            self.record(**{f"unet__context{i}": state, f"unet__mask{i}": mask})
        if film:
            self.record(unet__film=y)
        average = {}
        for key, tensor in unet.state_dict().items():
            name = "model_ema." + ("diffusion_model." + key).replace(".", "")
            self.keys[name] = ["float32", list(tensor.shape)]
            average[key] = numbers(name, list(tensor.shape))
        unet.load_state_dict(average)
        self.record(average__eps=run())
        self.keys["model_ema.decay"], self.keys["model_ema.num_updates"] = ["float32", []], ["int32", []]

    def autoencoder(self, latents=8, levels=3, mels=64):
        first = self.repository == "audioldm"
        path = "variational_autoencoder.modules" if first else "latent_diffusion.modules.diffusionmodules.model"
        modules = self.module(path)
        options = dict(ch=32, out_ch=1, ch_mult=(1,) * (levels - 1) + (2,), num_res_blocks=1, attn_resolutions=[],
                       in_channels=1, resolution=64, z_channels=latents, double_z=True, downsample_time=False)
        self.add(modules.Encoder(**options), "first_stage_model.encoder.")
        decoder = self.add(modules.Decoder(**options), "first_stage_model.decoder.")
        self.add(torch.nn.Conv2d(2 * latents, 2 * latents, 1), "first_stage_model.quant_conv.")
        after = self.add(torch.nn.Conv2d(latents, latents, 1), "first_stage_model.post_quant_conv.")
        self.keys["scale_factor"] = ["float32", []]
        z = torch.randn(1, latents, 4, 3)
        self.record(vae__latent=z, vae__mel=decoder(after(z / numbers("scale_factor", []))))
        wide = mels == 256
        h = types.SimpleNamespace(
            num_mels=mels, upsample_initial_channel=96 if wide else 64, resblock="1",
            upsample_rates=[6, 5, 4, 2, 2] if wide else [5, 4, 2, 2, 2],
            upsample_kernel_sizes=[12, 10, 8, 4, 4] if wide else [16, 16, 8, 4, 4],
            resblock_kernel_sizes=[3, 7, 11, 15] if wide else [3, 7, 11],
            resblock_dilation_sizes=[[1, 3, 5]] * (4 if wide else 3))
        generator = self.module("hifigan.models").Generator(h)
        generator.remove_weight_norm()
        self.add(generator, "first_stage_model.vocoder.")
        mel = torch.randn(1, mels, 5)
        self.record(vocoder__mel=mel, vocoder__waveform=generator(mel))

    def clap(self, prefix):
        from transformers import RobertaConfig, RobertaModel
        text = RobertaModel(RobertaConfig(vocab_size=560, hidden_size=64, num_hidden_layers=2, num_attention_heads=1,
                                          intermediate_size=96, max_position_embeddings=514, type_vocab_size=1,
                                          layer_norm_eps=1e-5))
        self.add(text, prefix + "text_branch.")
        head = self.add(torch.nn.Sequential(torch.nn.Linear(64, CLAP_WIDTH), torch.nn.ReLU(),
                                            torch.nn.Linear(CLAP_WIDTH, CLAP_WIDTH)), prefix + "text_projection.")
        self.keys[prefix + "logit_scale_a"] = ["float32", []]
        self.keys[prefix + "text_branch.embeddings.position_ids"] = ["int64", [1, 514]]
        self.keys[prefix + "text_transform.sequential.0.weight"] = ["float32", [CLAP_WIDTH, CLAP_WIDTH]]
        self.keys[prefix + "audio_branch.spectrogram_extractor.stft.conv_real.weight"] = ["float32", [5, 1, 8]]
        self.keys[prefix.removesuffix("model.") + "mel_transform.mel_scale.fb"] = ["float32", [5, 4]]
        ids = torch.randint(2, 300, (1, 9))
        pooled = text(input_ids=ids, attention_mask=torch.ones_like(ids)).pooler_output
        self.record(clap__text__ids=ids, clap__text=torch.nn.functional.normalize(head(pooled), dim=-1))

    def t5(self, prefix):
        from transformers import T5Config, T5EncoderModel
        model = self.add(T5EncoderModel(T5Config(
            vocab_size=220, d_model=T5_WIDTH, d_kv=8, d_ff=72, num_layers=2, num_heads=3,
            feed_forward_proj="gated-gelu", tie_word_embeddings=False)), prefix)
        # Both names are in the authors' files, on one storage.
        shared = model.shared.weight.data
        shared.copy_(numbers(prefix + "shared.weight", list(shared.shape)))
        model.encoder.embed_tokens.weight = model.shared.weight
        self.keys[prefix + "encoder.embed_tokens.weight"] = ["shared", prefix + "shared.weight"]
        ids = torch.randint(2, 90, (1, 7))
        mask = torch.tensor([[1, 1, 1, 1, 1, 0, 0]])
        self.record(t5__ids=ids, t5__mask=mask,
                    t5__hidden=model(input_ids=ids, attention_mask=mask).last_hidden_state)

    def phonemes(self, prefix):
        encoder = self.add(self.module("latent_diffusion.modules.phoneme_encoder.encoder").TextEncoder(
            183, out_channels=PHONEME_WIDTH, hidden_channels=PHONEME_WIDTH, filter_channels=64, n_layers=2),
            prefix + "text_encoder.")
        self.keys[prefix + "learnable_positional_embedding"] = ["float32", [1, PHONEME_WIDTH, 310]]
        ids = torch.randint(1, 60, (1, 12))
        ids[0, 8:] = 0
        hidden, _, _, mask = encoder(ids, torch.tensor([8]))
        self.record(phoneme__ids=ids, phoneme__mask=mask[:, 0], phoneme__hidden=hidden.transpose(1, 2))

    def language(self, second, steps):
        from transformers import GPT2Config, GPT2Model
        prefix = "cond_stage_models.0."
        model = self.add(GPT2Model(GPT2Config(n_embd=WIDTH, n_layer=2, n_head=2, n_positions=1024, vocab_size=11)),
                         prefix + "model.")
        for name in ("start", "end"):
            self.keys[f"{prefix}{name}_of_sequence_tokens.weight"] = ["float32", [32, WIDTH]]
        for index, width in enumerate((CLAP_WIDTH, second)):
            self.keys[f"{prefix}input_sequence_embed_linear.{index}.weight"] = ["float32", [WIDTH, width]]
            self.keys[f"{prefix}input_sequence_embed_linear.{index}.bias"] = ["float32", [WIDTH]]
        sequence, mask = torch.randn(1, 6, WIDTH), torch.tensor([[1, 1, 1, 1, 0, 1]])
        x, m = sequence, mask
        for _ in range(steps):
            x = torch.cat([x, model(inputs_embeds=x, attention_mask=m).last_hidden_state[:, -1:]], dim=1)
            m = torch.cat([m, torch.ones(1, 1, dtype=m.dtype)], dim=1)
        self.record(loa__input=sequence, loa__mask=mask, loa__output=x[:, sequence.shape[1]:])

    def common(self):
        for name in ("betas", "logvar", "alphas_cumprod", "posterior_variance", "sqrt_alphas_cumprod"):
            self.keys[name] = ["float32", [1000]]


@torch.no_grad()
def make(name, repository="audioldm2"):
    model = Model(name, repository)
    model.common()
    if name == "audioldm_48k":
        model.unet([None], film=True, latents=16)
        model.autoencoder(latents=16, levels=4, mels=256)
        model.clap("clap.model.")
        model.copy("clap.model.", "cond_stage_models.0.model.")
    elif name == "audioldm_16k_crossattn_t5":
        model.unet([T5_WIDTH])
        model.autoencoder()
        model.clap("clap.model.")
        model.t5("cond_stage_models.0.model.")
    elif name.startswith("audioldm-"):
        # Only the large one has wider heads.
        channels, head = {"s": (32, 32), "m": (64, 32), "l": (64, 64)}[name.split("-")[1]]
        model.unet([], film=True, channels=channels, head=head)
        model.autoencoder()
        model.clap("cond_stage_model.model.")
    else:
        speech = "-speech-" in name
        large = "-large-" in name
        model.unet([WIDTH] if speech else [WIDTH, T5_WIDTH] + ([None] if large else []), depth=2 if large else 1)
        model.autoencoder()
        model.clap("clap.model.")
        model.copy("clap.model.", "cond_stage_models.0.cond_stage_models.0.model.")
        if speech:
            model.phonemes("cond_stage_models.0.cond_stage_models.1.")
        else:
            model.t5("cond_stage_models.1.model.")
            model.copy("cond_stage_models.1.model.", "cond_stage_models.0.cond_stage_models.1.model.")
        # Of the 512 vectors of speech the first few tell enough.
        model.language(PHONEME_WIDTH if speech else T5_WIDTH, 24 if speech else 8)
    return model


def main(audioldm2, audioldm, folder):
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    for name, root in (("audioldm2", audioldm2), ("audioldm", audioldm)):
        for path in ("", "latent_diffusion", "latent_diffusion.modules", "latent_diffusion.modules.encoders",
                     "hifigan", "variational_autoencoder", "audio", "clap"):
            if (root / name / path.replace(".", "/")).is_dir():
                package(".".join(filter(None, (name, path))), root / name / path.replace(".", "/"))
    for name in ("audioldm2.latent_diffusion.util", "audioldm.utils"):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].instantiate_from_config = None
    keys, golden = {}, {}
    for name in ("audioldm2-full", "audioldm2-full-large-1150k", "audioldm2-music-665k",
                 "audioldm2-speech-gigaspeech", "audioldm2-speech-ljspeech", "audioldm_16k_crossattn_t5",
                 "audioldm_48k", "audioldm-s-full", "audioldm-m-full", "audioldm-l-full"):
        with contextlib.redirect_stdout(io.StringIO()):
            model = make(name, "audioldm" if name.startswith("audioldm-") else "audioldm2")
        keys[name] = model.keys
        golden.update({f"{name}/{key}": tensor for key, tensor in model.golden.items()})
        print(name, len(model.keys), sum(int(np.prod(s)) for t, s in model.keys.values() if t != "shared"),
              {k: float(v.std()) for k, v in model.golden.items() if v.numel() > 3 and "ids" not in k})
    # From a file, so that the frame states its content's size.
    (folder / "keys.json").write_text(json.dumps(keys, separators=(",", ":")))
    subprocess.run(["zstd", "-19", "-q", "-f", "--rm", folder / "keys.json"], check=True)
    save_file(golden, folder / "golden.safetensors")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
