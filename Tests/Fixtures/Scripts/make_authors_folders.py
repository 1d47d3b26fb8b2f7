#!/usr/bin/env python3
"""Where diffusers' own conversion scripts put every tensor of the authors' files.

    python make_authors_folders.py DIFFUSERS ../Authors

DIFFUSERS is a checkout of github.com/huggingface/diffusers, whose scripts/convert_original_audioldm*_to_diffusers.py
know AudioLDM 1 and 2.  They convert state dicts with the keys of ../Authors/*keys.json.zst in which each row holds its
own number, so that what comes out tells where it came from.  What they do not know is added here: FiLM in a UNet with several
transformers, the phoneme encoder, and which part of a file is FLAN-T5.

`folders.json.zst`: by model, component: class, config, and tensors: key -> [the authors' key, first row, shape].  Small
models have all of it, with keys and shapes of the classes of diffusers and transformers, none missing and none unknown;
published ones have only the tensors, without shapes.
"""
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import diffusers
import torch
import transformers

FIRST_ROWS = 1 << 24


def script(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Rows:
    """A state dict whose tensors have all rows, but of one element each."""

    def __init__(self, keys):
        self.names, self.state, count = [], {}, 0
        for key, entry in sorted(keys.items()):
            if entry[0] != "float32":
                continue
            shape = entry[1]
            rows = shape[0] if shape else 1
            assert rows < FIRST_ROWS
            numbers = torch.arange(rows) + len(self.names) * FIRST_ROWS
            self.state[key] = numbers.reshape([rows] + [1] * (len(shape) - 1)) if shape else numbers[0]
            self.names.append(key)
        for key, entry in keys.items():
            if entry[0] == "shared":
                self.state[key] = self.state[entry[1]]

    def place(self, tensor):
        rows = tensor.flatten().tolist()
        assert rows == list(range(rows[0], rows[0] + len(rows)))
        return [self.names[rows[0] // FIRST_ROWS], rows[0] % FIRST_ROWS]


def phonemes(state, prefix):
    names = {r"^emb\.": "embed_tokens.", r"^proj\.": "project.",
             r"attn_layers\.(\d+)\.conv_o": r"layers.\1.attention.out_proj",
             r"attn_layers\.(\d+)\.conv_(\w)": r"layers.\1.attention.\2_proj",
             r"attn_layers\.(\d+)\.": r"layers.\1.attention.", r"norm_layers_1\.(\d+)": r"layers.\1.layer_norm",
             r"norm_layers_2\.(\d+)": r"layers.\1.final_layer_norm", r"ffn_layers\.(\d+)": r"layers.\1.feed_forward",
             "gamma$": "weight", "beta$": "bias"}
    found = {}
    for key, tensor in state.items():
        if key.startswith(prefix):
            name = key[len(prefix):]
            for old, new in names.items():
                name = re.sub(old, new, name)
            found["text_encoder." + name] = tensor
    return found


def components(name, keys, one, two):
    """State dicts by component, as the scripts make them."""
    state = Rows(keys).state
    first = name.startswith("audioldm-")
    film = first or "48k" in name
    transformers_at_a_place = max(
        int(m[1]) for key in keys if (m := re.match(r"model\.diffusion_model\.input_blocks\.\d+\.(\d+)\.transformer", key)))
    layers = max(int(m[1]) for key in keys if (m := re.match(r"model\.diffusion_model\.input_blocks\.(\d+)\.0\.op", key)))
    levels = sum("0.op.weight" in key for key in keys if "diffusion_model.input_blocks" in key) + 1
    config = dict(cross_attention_dim=[[None] * transformers_at_a_place], layers_per_block=layers // (levels - 1) - 1)
    own = one if first else two
    if first:
        config |= dict(cross_attention_dim=None, class_embed_type="simple_projection")
    # The script for AudioLDM 1 writes the autoencoder's attention as diffusers named it before 0.12.
    found = dict(vae=two.convert_ldm_vae_checkpoint(dict(state), {}), vocoder=own.convert_hifigan_checkpoint(
        dict(state), transformers.SpeechT5HifiGanConfig(upsample_rates=[1] * 5, normalize_before=True)))
    found["unet"] = own.convert_ldm_unet_checkpoint(dict(state), config)
    if film and not first:
        for part in ("weight", "bias"):
            found["unet"]["class_embedding." + part] = state["model.diffusion_model.film_emb." + part]
    if "t5" not in name:
        found["text_encoder"] = own.convert_open_clap_checkpoint(dict(state))
    if film:
        return found
    if "t5" in name:
        found["text_encoder_2"] = two.extract_sub_model(dict(state), "cond_stage_models.0.model.")
        return found
    found["language_model"] = two.extract_sub_model(dict(state), "cond_stage_models.0.model.")
    found["projection_model"] = two.convert_projection_checkpoint(dict(state))
    if "speech" in name:
        prefix = "cond_stage_models.0.cond_stage_models.1."
        found["text_encoder_2"] = phonemes(state, prefix + "text_encoder.")
        positions = "learnable_positional_embedding"
        found["projection_model"][positions] = state[prefix + positions]
    else:
        found["text_encoder_2"] = two.extract_sub_model(dict(state), "cond_stage_models.1.model.")
    return found


def module(component, name):
    """A small model of the class that the component has in published folders."""
    speech, large, film = "speech" in name, "-large-" in name, name.startswith("audioldm-") or "48k" in name
    wide, first, t5 = "48k" in name, name.startswith("audioldm-"), "t5" in name
    if component == "unet":
        channels, head = {"audioldm-m-full": (64, 32), "audioldm-l-full": (64, 64)}.get(name, (32, 32))
        common = dict(
            sample_size=128 if wide else 256, in_channels=16 if wide else 8, out_channels=16 if wide else 8,
            block_out_channels=(channels, 2 * channels),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), layers_per_block=1,
            attention_head_dim=(channels // head, 2 * channels // head))
        if film:
            common |= dict(class_embed_type="simple_projection", class_embeddings_concat=True,
                           projection_class_embeddings_input_dim=16)
        if first:
            return diffusers.UNet2DConditionModel(cross_attention_dim=(channels, 2 * channels), **common)
        contexts = [None, None] if wide else [None, 40] if t5 else [None, 128] if speech else [None, 128, 40]
        return diffusers.AudioLDM2UNet2DConditionModel(
            cross_attention_dim=tuple([contexts + ([None] if large else [])] * 2),
            transformer_layers_per_block=2 if large else 1, **common)
    if component == "vae":
        levels = 4 if wide else 3
        return diffusers.AutoencoderKL(
            in_channels=1, out_channels=1, down_block_types=("DownEncoderBlock2D",) * levels,
            up_block_types=("UpDecoderBlock2D",) * levels, block_out_channels=(32,) * (levels - 1) + (64,),
            latent_channels=16 if wide else 8, layers_per_block=1, scaling_factor=0.41)
    if component == "vocoder":
        return transformers.SpeechT5HifiGan(transformers.SpeechT5HifiGanConfig(
            model_in_dim=256 if wide else 64, sampling_rate=48000 if wide else 16000,
            upsample_initial_channel=96 if wide else 64, upsample_rates=[6, 5, 4, 2, 2] if wide else [5, 4, 2, 2, 2],
            upsample_kernel_sizes=[12, 10, 8, 4, 4] if wide else [16, 16, 8, 4, 4],
            resblock_kernel_sizes=[3, 7, 11, 15] if wide else [3, 7, 11],
            resblock_dilation_sizes=[[1, 3, 5]] * (4 if wide else 3), normalize_before=False))
    if component == "text_encoder":
        return transformers.ClapTextModelWithProjection(transformers.ClapTextConfig(
            vocab_size=560, hidden_size=64, num_hidden_layers=2, num_attention_heads=1, intermediate_size=96,
            max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5, projection_dim=16))
    if component == "language_model":
        return transformers.GPT2Model(transformers.GPT2Config(
            n_embd=128, n_layer=2, n_head=2, n_positions=1024, vocab_size=11, max_new_tokens=512 if speech else 8))
    if component == "projection_model":
        return diffusers.AudioLDM2ProjectionModel(
            16, 24 if speech else 40, 128, use_learned_position_embedding=True if speech else None,
            max_seq_length=310 if speech else None)
    if speech:
        return transformers.VitsModel(transformers.VitsConfig(
            vocab_size=183, hidden_size=24, num_hidden_layers=2, num_attention_heads=2, window_size=4, ffn_dim=64,
            ffn_kernel_size=3, flow_size=24, use_stochastic_duration_prediction=False, upsample_initial_channel=16,
            spectrogram_bins=16, upsample_rates=[2], upsample_kernel_sizes=[4], prior_encoder_num_flows=1,
            resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1]], prior_encoder_num_wavenet_layers=1,
            posterior_encoder_num_wavenet_layers=1))
    return transformers.T5EncoderModel(transformers.T5Config(
        vocab_size=220, d_model=40, d_kv=8, d_ff=72, num_layers=2, num_heads=3, feed_forward_proj="gated-gelu",
        tie_word_embeddings=False))


def describe(component, name, places):
    """Class, config, and places with the shapes of the class."""
    model = module(component, name)
    state = model.state_dict()
    places = {key: place for key, place in places.items() if not key.startswith("logit_scale")}
    # What loading makes up: buffers of ids, and statistics that `normalize_before` false leaves alone.
    strays = ("mean", "scale", "position_ids", "token_type_ids")
    if component == "text_encoder_2" and "speech" in name:
        state = {key: value for key, value in state.items() if key.startswith("text_encoder.")}
    missing = {key for key in state if not key.endswith(strays) and key not in places}
    unknown = {key for key in places if key not in state}
    assert not missing and not unknown, (name, component, missing, unknown)
    config = json.loads(model.to_json_string() if isinstance(model, diffusers.ModelMixin)
                        else model.config.to_json_string())
    library = type(model).__module__.split(".")[0]
    return dict(library=library, className=type(model).__name__, config=config, tensors={
        key: place + [list(state[key].shape)] for key, place in places.items()})


def read(folder, name):
    text = subprocess.run(["zstd", "-dc", folder / name], check=True, capture_output=True).stdout
    return json.loads(text)


def main(checkout, folder):
    one = script(checkout / "scripts/convert_original_audioldm_to_diffusers.py")
    two = script(checkout / "scripts/convert_original_audioldm2_to_diffusers.py")
    result = {}
    for file, is_small in (("keys.json.zst", True), ("published-keys.json.zst", False)):
        models = result["small" if is_small else "published"] = {}
        for name, keys in read(folder, file).items():
            models[name] = {}
            for component, state in components(name, keys, one, two).items():
                rows = Rows(keys)
                ours = {key: tensor for key, tensor in state.items() if tensor.dtype == torch.int64}
                places = {key: rows.place(tensor) for key, tensor in ours.items()}
                models[name][component] = describe(component, name, places) if is_small else dict(tensors=places)
            print(name, {component: len(c["tensors"]) for component, c in models[name].items()})
    (folder / "folders.json").write_text(json.dumps(result, separators=(",", ":")))
    subprocess.run(["zstd", "-19", "-q", "-f", "--rm", folder / "folders.json"], check=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
