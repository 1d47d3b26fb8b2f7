#!/usr/bin/env python3
"""Copy of a checkpoint folder (diffusers' layout) with outlier channels, as trained models have them and random ones do not.

    make_outliers.py CHECKPOINT OUT --factor 40 --share 0.01 [--places norms,gated,...] [--seed 0] [--check]

A share of the channels at every place becomes FACTOR times as large, and the weights that read them as much smaller, so
that most places compute what they did:

    norms      affine norms before products (UNet, VAE, T5, GPT-2, CLAP audio)
    gated      the ungated halves of gated feed-forward layers (UNet, T5)
    values     attention's values and what reads them
    queries    attention's queries against its keys
    vocoder    inputs, streams and inner channels of HiFi-GAN (leaky ReLU keeps positive factors)
    t5big      T5's residual stream 1e6 times as large, past what float16 holds; its norms undo it

Two do not, and are to be compared with their own float model:

    resnets    norm, SiLU, 3x3 convolution
    residual   the stream inside the UNet's transformers, between blocks

--check runs the UNet, T5 and the vocoder in float32 on both folders and prints ||a - b|| / ||a||: at most 1e-4 for the first
six.  Changed tensors are written in float32.
"""
import argparse
import json
import re
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

EXACT = ["norms", "gated", "values", "queries", "vocoder", "t5big"]


class Folder:
    def __init__(self, path, args):
        self.file = next(iter(sorted(path.glob("*.safetensors"))), None)
        self.tensors = load_file(self.file) if self.file else {}
        self.args = args
        self.generator = torch.Generator().manual_seed(args.seed)

    def save(self):
        if self.file:
            save_file({k: v.contiguous() for k, v in self.tensors.items()}, self.file, metadata={"format": "pt"})

    def factors(self, count):
        chosen = torch.rand(count, generator=self.generator) < self.args.share
        if not chosen.any():
            chosen[int(torch.randint(count, (1,), generator=self.generator))] = True
        return torch.where(chosen, float(self.args.factor), 1.0)

    def scale(self, key, factors, axis=0):
        """Multiplies slices of a tensor along an axis."""
        if key not in self.tensors:
            return
        tensor = self.tensors[key].float()
        shape = [1] * tensor.dim()
        shape[axis] = len(factors)
        self.tensors[key] = tensor * factors.reshape(shape)

    def rows(self, name, factors, axis=0):
        self.scale(name + ".weight", factors, axis)
        self.scale(name + ".bias", factors)

    def move(self, writers, readers, transposed=False, partial=None):
        """Outlier channels between modules that make them and modules that read them."""
        first = readers[0] + ".weight"
        if first not in self.tensors:
            return
        count = self.tensors[first].shape[0 if transposed else 1]
        factors = self.factors(count)
        for writer in writers:
            if partial is not None:
                rows = self.tensors[writer + ".weight"].shape[1 if transposed else 0]
                whole = torch.ones(rows)
                whole[partial(rows)] = factors
                self.rows(writer, whole, 1 if transposed else 0)
            else:
                self.rows(writer, factors, 1 if transposed and self.tensors[writer + ".weight"].dim() > 1 else 0)
        for reader in readers:
            self.scale(reader + ".weight", 1 / factors, 0 if transposed else 1)

    def parents(self, pattern):
        return sorted({m.group(1) for key in self.tensors if (m := re.fullmatch(pattern, key))})


def unet(f, places):
    # What each transformer of a place reads: None for itself.
    dims = json.loads((f.file.parent / "config.json").read_text()).get("cross_attention_dim")
    dims = dims[0] if isinstance(dims[0], list) else dims
    for p in f.parents(r"(.*transformer_blocks\.\d+)\.norm1\.weight"):
        place = int(re.search(r"attentions\.(\d+)\.", p).group(1)) % len(dims)
        crossed = dims[place] is not None
        if "norms" in places:
            f.move([p + ".norm1"], [p + ".attn1." + n for n in ("to_q", "to_k", "to_v")])
            f.move([p + ".norm2"], [p + ".attn2.to_q"] + ([] if crossed else [p + ".attn2.to_k", p + ".attn2.to_v"]))
            f.move([p + ".norm3"], [p + ".ff.net.0.proj"])
        if "gated" in places:
            f.move([p + ".ff.net.0.proj"], [p + ".ff.net.2"], partial=lambda rows: slice(0, rows // 2))
        for a in (p + ".attn1", p + ".attn2"):
            if "values" in places:
                f.move([a + ".to_v"], [a + ".to_out.0"])
            if "queries" in places:
                factors = f.factors(f.tensors[a + ".to_q.weight"].shape[0])
                f.rows(a + ".to_q", factors)
                f.rows(a + ".to_k", 1 / factors)
    for p in f.parents(r"(.*attentions\.\d+)\.norm\.weight"):
        if "norms" in places:
            f.move([p + ".norm"], [p + ".proj_in"])
        if "residual" in places:
            writers = [p + ".proj_in"]
            for b in f.parents("(" + re.escape(p) + r"\.transformer_blocks\.\d+)\.norm1\.weight"):
                writers += [b + ".attn1.to_out.0", b + ".attn2.to_out.0", b + ".ff.net.2"]
            f.move(writers, [p + ".proj_out"])
    resnets(f, places)


def resnets(f, places):
    if "resnets" in places:
        for p in f.parents(r"(.*resnets\.\d+)\.conv1\.weight"):
            f.move([p + ".norm1"], [p + ".conv1"])
            f.move([p + ".norm2"], [p + ".conv2"])


def vae(f, places):
    for p in f.parents(r"(.*attentions\.0)\.group_norm\.weight"):
        if "norms" in places:
            f.move([p + ".group_norm"], [p + "." + n for n in ("to_q", "to_k", "to_v")])
        if "values" in places:
            f.move([p + ".to_v"], [p + ".to_out.0"])
    resnets(f, places)


def t5(f, places):
    for p in f.parents(r"(encoder\.block\.\d+)\.layer\.0\.layer_norm\.weight"):
        a, d = p + ".layer.0.SelfAttention.", p + ".layer.1.DenseReluDense."
        if "norms" in places:
            f.move([p + ".layer.0.layer_norm"], [a + n for n in "qkv"])
            f.move([p + ".layer.1.layer_norm"], [d + "wi_0", d + "wi_1"])
        if "gated" in places:
            f.move([d + "wi_1"], [d + "wo"])
        if "values" in places:
            f.move([a + "v"], [a + "o"])
    if "t5big" in places:
        for key in list(f.tensors):
            if key.startswith("shared.") or "embed_tokens" in key or re.search(r"\.(o|wo)\.weight$", key):
                f.tensors[key] = f.tensors[key].float() * 1e6


def gpt2(f, places):
    for p in f.parents(r"(.*h\.\d+)\.ln_1\.weight"):
        if "norms" in places:
            f.move([p + ".ln_1"], [p + ".attn.c_attn"], transposed=True)
            f.move([p + ".ln_2"], [p + ".mlp.c_fc"], transposed=True)
        if "values" in places:
            f.move([p + ".attn.c_attn"], [p + ".attn.c_proj"], transposed=True, partial=lambda rows: slice(rows // 3 * 2, rows))


def clap(f, places):
    for p in f.parents(r"(audio_model.*blocks\.\d+)\.layernorm_before\.weight"):
        if "norms" in places:
            f.move([p + ".layernorm_before"], [p + ".attention.self." + n for n in ("query", "key", "value")])
            f.move([p + ".layernorm_after"], [p + ".intermediate.dense"])
    if "values" in places:
        for p in f.parents(r"(.*attention)\.self\.value\.weight"):
            f.move([p + ".self.value"], [p + ".output.dense"])


def vocoder(f, places):
    if "vocoder" not in places:
        return
    # Weight norm: the direction's factors on rows go to the magnitude.
    for key in list(f.tensors):
        if key.endswith("weight_v"):
            g = key[:-1] + "g"
            v = f.tensors.pop(key).float()
            f.tensors[key[:-2]] = f.tensors.pop(g).float() * v / v.norm(dim=tuple(range(1, v.dim())), keepdim=True)
        elif key.endswith("parametrizations.weight.original1"):
            stem = key[: -len("parametrizations.weight.original1")]
            v = f.tensors.pop(key).float()
            g = f.tensors.pop(stem + "parametrizations.weight.original0").float()
            f.tensors[stem + "weight"] = g * v / v.norm(dim=tuple(range(1, v.dim())), keepdim=True)
    stages = len(f.parents(r"(upsampler\.\d+)\.weight"))
    blocks = len(f.parents(r"(resblocks\.\d+)\.convs1\.0\.weight"))
    # Transposed convolutions hold inputs first.
    def stream(writers, readers):
        factors = f.factors(f.tensors[writers[0] + ".bias"].shape[0])
        for w in writers:
            f.rows(w, factors, 1 if w.startswith("upsampler") else 0)
        for r in readers:
            f.scale(r + ".weight", 1 / factors, 0 if r.startswith("upsampler") else 1)
    stream(["conv_pre"], ["upsampler.0"])
    for stage in range(stages):
        writers, readers = [f"upsampler.{stage}"], []
        for block in range(stage * blocks // stages, (stage + 1) * blocks // stages):
            for p in f.parents(rf"resblocks\.{block}\.convs1\.(\d+)\.weight"):
                first, second = f"resblocks.{block}.convs1.{p}", f"resblocks.{block}.convs2.{p}"
                stream([first], [second])
                writers.append(second)
                readers.append(first)
        readers.append(f"upsampler.{stage + 1}" if stage + 1 < stages else "conv_post")
        stream(writers, readers)


PARTS = {"unet": unet, "vae": vae, "text_encoder_2": t5, "language_model": gpt2, "text_encoder": clap, "vocoder": vocoder}


@torch.no_grad()
def check(before, after, places):
    from diffusers import AudioLDM2UNet2DConditionModel
    from transformers import SpeechT5HifiGan, T5EncoderModel

    def compare(name, load, run):
        results = []
        for folder in (before, after):
            model = load(folder).float().eval()
            torch.manual_seed(0)
            results.append(run(model))
            del model
        print(f"{name}: {float((results[0] - results[1]).norm() / results[0].norm()):.2e}")

    def predict(model):
        c = model.config
        dims = [d for d in c.cross_attention_dim[0] if d] if isinstance(c.cross_attention_dim[0], list) else []
        x = torch.randn(1, c.in_channels, 32, 16)
        states = [torch.randn(1, 8, d) for d in dict.fromkeys(dims)]
        return model(
            x, 500, encoder_hidden_states=states[0], encoder_hidden_states_1=states[1] if len(states) > 1 else None
        ).sample

    compare("unet", lambda p: AudioLDM2UNet2DConditionModel.from_pretrained(p / "unet"), predict)
    compare("second.hidden", lambda p: T5EncoderModel.from_pretrained(p / "text_encoder_2", dtype=torch.float32),
            lambda m: m(torch.arange(3, 19)[None]).last_hidden_state)
    compare("vocoder", lambda p: SpeechT5HifiGan.from_pretrained(p / "vocoder", dtype=torch.float32),
            lambda m: m(torch.randn(32, m.config.model_in_dim)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--factor", type=float, default=40)
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--places", default=",".join(EXACT[:5]))
    parser.add_argument("--parts", default=",".join(PARTS), help="folders to change")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    places = args.places.split(",")
    shutil.copytree(args.checkpoint, args.out)
    for name, change in PARTS.items():
        if name in args.parts.split(",") and (args.out / name).is_dir():
            folder = Folder(args.out / name, args)
            change(folder, places)
            folder.save()
    print(json.dumps({"factor": args.factor, "share": args.share, "places": places}))
    if args.check:
        check(args.checkpoint, args.out, places)


if __name__ == "__main__":
    main()
