#!/usr/bin/env python3
"""LoRA adapters of a small checkpoint, as PEFT and diffusers spell them, and the weights that PEFT's merge_and_unload makes.

    make_lora_fixture.py CHECKPOINT OUT          (torch, diffusers, transformers, peft, safetensors)

OUT/peft/            what save_pretrained writes for the UNet: linear layers, convolutions of 1x1 and 3x3, alpha_pattern
OUT/language_model/  the same of GPT-2, whose matrices lie transposed, with rank-stabilized scaling
OUT/diffusers.safetensors   the UNet's and the text encoder's (CLAP) in one file, by diffusers' keys of today, with alphas
OUT/old.safetensors         the UNet's attention by diffusers' older keys, without alphas
OUT/merged.safetensors      merged weights by "case/component/key", of half of the scale for diffusers.safetensors

Matrices are small numbers of few bits, so that their products are exact and merging rounds once: every implementation
makes the same bits.

The fixture ../Adapters: make_lora_fixture.py ../Checkpoints/tiny ../Adapters (torch 2.x, peft 0.1x: see OUT/versions.txt)
"""
import sys
from pathlib import Path

import diffusers
import peft
import torch
import transformers
from diffusers import AudioLDM2UNet2DConditionModel
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import ClapModel, GPT2Model

CHECKPOINT, OUT = Path(sys.argv[1]), Path(sys.argv[2])
torch.manual_seed(0)


def fill(model):
    """Exact numbers: multiples of 1/16 up to 1/2 in A, of 1/64 up to 1/8 in B."""
    for name, parameter in model.named_parameters():
        if "lora_A" in name:
            parameter.data = torch.randint(-8, 9, parameter.shape).float() / 16
        if "lora_B" in name:
            parameter.data = torch.randint(-8, 9, parameter.shape).float() / 64


def merged(model, changed):
    whole = model.merge_and_unload().state_dict()
    return {key: whole[key].detach().clone().contiguous() for key in sorted(changed)}


def adapted(model, **options):
    wrapped = get_peft_model(model, LoraConfig(**options))
    fill(wrapped)
    modules = [name.removeprefix("base_model.model.").removesuffix(".lora_A.default") for name, _ in
               wrapped.named_modules() if name.endswith(".lora_A.default")]
    return wrapped, [m + ".weight" for m in modules]


unet = lambda: AudioLDM2UNet2DConditionModel.from_pretrained(CHECKPOINT / "unet").float()
results = {}

wrapped, keys = adapted(unet(), r=4, lora_alpha=8, alpha_pattern={"to_v": 2, "conv1": 16},
                        target_modules=r".*(mid_block|down_blocks\.1).*(to_q|to_v|proj_in|conv1|time_emb_proj)")
wrapped.save_pretrained(OUT / "peft")
results |= {f"peft/unet/{k}": v for k, v in merged(wrapped, keys).items()}

wrapped, keys = adapted(GPT2Model.from_pretrained(CHECKPOINT / "language_model").float(), r=4, lora_alpha=4, use_rslora=True,
                        target_modules=["c_attn", "c_fc"], fan_in_fan_out=True)
wrapped.save_pretrained(OUT / "language_model")
results |= {f"language_model/language_model/transformer.{k}": v for k, v in merged(wrapped, keys).items()}

both = {}
for component, model, target in [
    ("unet", unet(), r".*up_blocks.*(to_k|to_out\.0|ff\.net\.2)"),
    ("text_encoder", ClapModel.from_pretrained(CHECKPOINT / "text_encoder").float(), r"text_model.*(query|value)"),
]:
    wrapped, keys = adapted(model, r=2, lora_alpha=4, target_modules=target)
    for key, value in get_peft_model_state_dict(wrapped).items():
        key = key.removeprefix("base_model.model.")
        both[f"{component}.{key}"] = value.clone().contiguous()
        if "lora_A" in key:
            both[f"{component}.{key.removesuffix('.lora_A.weight')}.alpha"] = torch.tensor(4.0)
    for module in wrapped.modules():
        if isinstance(getattr(module, "scaling", None), dict):
            module.scaling["default"] *= 0.5
    results |= {f"diffusers/{component}/{k}": v for k, v in merged(wrapped, keys).items()}
save_file(both, OUT / "diffusers.safetensors")

old = {}
wrapped, keys = adapted(unet(), r=2, lora_alpha=2, target_modules=r".*mid_block.*attn1\.(to_q|to_out\.0)")
for key, value in get_peft_model_state_dict(wrapped).items():
    module, part = key.removeprefix("base_model.model.").removesuffix(".weight").rsplit(".lora_", 1)
    module = module.removesuffix(".0")
    parent, name = module.rsplit(".", 1)
    old[f"unet.{parent}.processor.{name}_lora.{'down' if part == 'A' else 'up'}.weight"] = value.clone().contiguous()
save_file(old, OUT / "old.safetensors")
results |= {f"old/unet/{k}": v for k, v in merged(wrapped, keys).items()}

save_file(results, OUT / "merged.safetensors")
(OUT / "versions.txt").write_text(
    f"torch {torch.__version__}, peft {peft.__version__}, diffusers {diffusers.__version__}, "
    f"transformers {transformers.__version__}\n")
for folder in ["peft", "language_model"]:
    (OUT / folder / "README.md").unlink(missing_ok=True)
print({k.split("/")[0] for k in results}, len(results))
